// Reads streams as streams.c does, sends each to an HTTP server of node's over loopback, and prints the requests that it saw.
'use strict';
const fs = require('fs');
const http = require('http');
const net = require('net');

const AT_ONCE = 32;
const QUIET_MS = 2000;
const seen = new Map(); // port of the client's end -> requests

function listOf(socket) {
  return seen.get(socket.remotePort) || [];
}

const server = http.createServer({maxHeaderSize: 65536}, (request, response) => {
  const list = listOf(request.socket);
  let body = 0;
  request.on('data', (piece) => { body += piece.length; });
  request.on('error', () => {});
  response.on('error', () => {});
  request.on('end', () => {
    list.push({method: request.method, target: request.url, body});
    response.end('x');
  });
});
server.on('connect', (request, socket) => {
  listOf(socket).push({method: request.method, target: request.url, body: 0});
  socket.on('error', () => {});
  socket.end();
});
server.on('clientError', (error, socket) => { socket.destroy(); });
server.keepAliveTimeout = QUIET_MS;

function streams() {
  const input = fs.readFileSync(0);
  const list = [];
  for (let at = 0; at < input.length;) {
    const length = input.readUInt32BE(at);
    list.push(input.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return list;
}

// Our end is shut once all is sent, so the server ends when it has answered what it saw.
function send(bytes, done) {
  const list = [];
  const socket = net.connect({port: server.address().port, host: '127.0.0.1', allowHalfOpen: true});
  socket.on('connect', () => {
    seen.set(socket.localPort, list);
    const port = socket.localPort;
    socket.on('close', () => { seen.delete(port); done(list); });
    socket.end(bytes);
  });
  socket.on('error', () => {});
  socket.resume();
}

server.listen(0, '127.0.0.1', () => {
  const all = streams();
  const results = new Array(all.length);
  let next = 0, left = all.length;
  const more = () => {
    if (next >= all.length)
      return;
    const index = next++;
    send(all[index], (list) => {
      results[index] = list;
      if (--left === 0) {
        process.stdout.write(results.map((result) => JSON.stringify(result)).join('\n') + '\n', () => process.exit(0));
        return;
      }
      more();
    });
  };
  for (let i = 0; i < AT_ONCE; i++)
    more();
});
