import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'http',
  client: 'AWS SDK v3',
  package: '@aws-sdk/client-s3',
  versions: '3',
  way: 'agent',
  why: 'Every client of the SDK takes a request handler, and that one an agent for each protocol.',
  hop: 'redirects are not followed',
  unguarded:
    'Credential providers (instance metadata, containers, SSO, STS) send requests of their own: give credentials, or clients with this handler. `defaultsMode: "auto"` (or `AWS_DEFAULTS_MODE`) asks the metadata service too. NodeHttp2Handler takes no agent.',
  denial: 'error',
};

export function open(guard, url) {
  const settings = {
    endpoint: url,
    forcePathStyle: true,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  };
  // recipe
  const agents = { httpAgent: new HttpAgent(guard), httpsAgent: new HttpsAgent(guard) };
  const client = new S3Client({ ...settings, requestHandler: new NodeHttpHandler(agents) });
  // end
  return {
    use: async () => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'key' }));
      return Body.transformToString();
    },
    close: () => client.destroy(),
  };
}
