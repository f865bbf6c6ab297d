import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../lib/certificate.mjs';
import { exchange, untilReady } from '../lib/probe.mjs';
import { findProgram, runProgram } from '../lib/process.mjs';
import { Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'MariaDB server';
export const packages = ['mariadb-server'];
export const find = () => findProgram('mariadbd');

const user = 'mysql';

export async function start(parts = new Parts()) {
  const folder = parts.folder('mariadb', user);
  const data = join(folder, 'data');
  const socket = join(folder, 'socket');
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  await runProgram(
    findProgram('mariadb-install-db'),
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
    { user, cwd: folder },
  );
  const init = join(folder, 'init.sql');
  writeFileSync(
    init,
    // A statement for each line: the rest of a line is not read.
    "CREATE DATABASE test;\nCREATE USER 'test'@'%' IDENTIFIED BY 'secret';\nGRANT ALL ON test.* TO 'test'@'%';\n",
  );
  chmodSync(init, 0o644);
  const backend = await freePort();
  const server = parts.program(
    'mariadb',
    find(),
    [
      ...['--no-defaults', `--datadir=${data}`, `--socket=${socket}`, `--pid-file=${join(folder, 'pid')}`],
      ...['--bind-address=127.0.0.1', `--port=${backend}`, '--skip-name-resolve', `--init-file=${init}`],
      ...[`--ssl-cert=${certFile}`, `--ssl-key=${keyFile}`, '--innodb-flush-log-at-trx-commit=0'],
    ],
    { folder, user, stopSignal: 'KILL' },
  );
  // The greeting of protocol 10, behind a header of four bytes.
  await untilReady(server, () =>
    exchange(backend, '', (answer) => (answer.length < 5 ? undefined : answer[4] === 10)),
  );
  let asked = 0;
  const connections = async () => {
    const query = "SHOW GLOBAL STATUS LIKE 'Connections'";
    const answer = await runProgram(findProgram('mariadb'), [
      ...['--no-defaults', `--socket=${socket}`, '--user=root', '--skip-column-names', `--execute=${query}`],
    ]);
    return Number(answer.split('\t')[1]) - ++asked;
  };
  const before = await connections();
  return service(parts, {
    sites: [await parts.sites(backend)],
    serverSaw: async () => (await connections()) - before,
    user: 'test',
    password: 'secret',
    database: 'test',
    cert,
  });
}
