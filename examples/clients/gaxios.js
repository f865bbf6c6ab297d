import { Gaxios } from 'gaxios';
import { createFetch } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'gaxios, google-auth-library',
  package: 'gaxios',
  versions: '7',
  way: 'fetch',
  why: 'It takes a `fetchImplementation`. Give the client to google-auth-library as `transporter`, to `OAuth2Client` and, in `clientOptions`, to `GoogleAuth`; googleapis takes that `auth`.',
  hop: 'redirects are judged',
  unguarded:
    'gcp-metadata (`GoogleAuth` without a key, `projectId`) sends requests of its own; so does @google-cloud/storage before version 8 (teeny-request). Clients over gRPC: see @grpc/grpc-js.',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const fetchImplementation = createFetch(guard);
  const client = new Gaxios({ fetchImplementation, retry: false });
  // end
  return {
    use: async () => (await client.request({ url, responseType: 'text' })).data,
    close: () => fetchImplementation.destroy(),
  };
}
