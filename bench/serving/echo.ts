/** The bare node:http JSON echo that the server is held against: parses the body, answers it. */
import { createServer } from "node:http";

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = JSON.stringify(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
