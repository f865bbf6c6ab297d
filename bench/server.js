// The server of the benchmark, in a process of its own: `hello` on 127.0.0.2 and on 127.0.0.1.
import http from 'node:http';

const listen = (host, port) =>
  new Promise((resolve) => {
    const server = http.createServer((request, response) => {
      if (request.headers['x-close']) response.setHeader('connection', 'close');
      response.end('hello');
    });
    server.keepAliveTimeout = 60_000;
    server.listen(port, host, () => resolve(server.address().port));
  });

const port = await listen('127.0.0.2', 0);
await listen('127.0.0.1', port);
process.send({ port });
process.on('disconnect', () => process.exit());
