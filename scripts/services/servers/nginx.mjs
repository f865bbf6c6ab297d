import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../lib/certificate.mjs';
import { beginsWith, exchange, untilReady } from '../lib/probe.mjs';
import { findProgram, runAs } from '../lib/process.mjs';
import { Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'nginx';
export const packages = ['nginx-light'];
export const find = () => findProgram('nginx');

const user = 'www-data';

export async function start(parts = new Parts()) {
  const folder = parts.folder('nginx', user);
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  const [backend, tls] = [await freePort(), await freePort()];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    const path = join(folder, name);
    mkdirSync(path);
    const { uid, gid } = runAs(user);
    if (uid !== undefined) chownSync(path, uid, gid);
    return `${name}_temp_path ${path};`;
  });
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off;
worker_processes 1;
pid ${join(folder, 'pid')};
error_log stderr;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${backend};
    listen 127.0.0.1:${tls} ssl http2;
    server_name name.test;
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    location / { return 200 "hello\\n"; }
    location /status { stub_status; }
    location /redirect { return 302 $arg_to; }
  }
}
`,
  );
  const server = parts.program('nginx', find(), ['-c', config, '-p', folder, '-e', 'stderr'], { folder, user });
  await untilReady(server, () =>
    exchange(backend, 'GET / HTTP/1.0\r\n\r\n', beginsWith('HTTP/1.1 200 ')),
  );
  let asked = 0;
  const accepted = async () => {
    let count = 0;
    await exchange(backend, 'GET /status HTTP/1.0\r\n\r\n', (answer) => {
      const numbers = /accepts handled requests\s+(\d+)/.exec(answer.toString());
      if (numbers === null) return undefined;
      count = Number(numbers[1]);
      return true;
    });
    return count - ++asked;
  };
  const before = await accepted();
  const sites = [await parts.sites(backend), await parts.sites(tls)];
  return service(parts, {
    sites,
    tlsPort: sites[1].port,
    serverSaw: async () => (await accepted()) - before,
    cert,
  });
}
