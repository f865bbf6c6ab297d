// The MCP server on standard input and output. FETCH_RULES says what it may reach; default: any
// public host.
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { Rules } from 'netjail';
import { createFetch } from 'netjail/fetch';
import { createServer } from './tool.js';

// A variable that is set and cannot be read ends the program here; an empty one allows nothing.
const rules = Rules.parse(process.env.FETCH_RULES ?? 'ALLOW public');
const fetch = createFetch({ rules });
// Standard output belongs to the protocol.
const server = createServer({ fetch, log: (line) => console.error(line) });
console.error(`rules: ${rules}`);
await server.connect(new StdioServerTransport());
