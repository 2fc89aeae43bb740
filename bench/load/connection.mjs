import { connect } from 'node:net';

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');

/**
 * One HTTP/1.1 connection that is kept open and carries one request at a time. It does as little as possible, as
 * the load generator shares its core with the database.
 */
export class Connection {
  #socket;
  #waiting;
  #received = [];
  #length = 0;
  #head;

  constructor(port) {
    this.port = port;
  }

  /** Sends a request of a transport; resolves to the status and the bytes of the body. */
  async post({ token, path, headers, body }) {
    this.#socket ??= await this.#open();
    const answer = new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#socket.write(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${this.port}\r\ncontent-type: application/json\r\n${headers}` +
        `authorization: Bearer ${token}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      'latin1',
    );
    return answer;
  }

  close() {
    this.#socket?.destroy();
  }

  #open() {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => resolve(socket));
      socket.setNoDelay(true);
      socket.on('data', (chunk) => this.#take(chunk));
      socket.on('error', (error) => this.#fail(error, reject));
      socket.on('close', () => this.#fail(new Error('The server closed the connection.'), reject));
    });
  }

  #fail(error, reject) {
    reject(error);
    this.#socket = undefined;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  #take(chunk) {
    this.#received.push(chunk);
    this.#length += chunk.length;
    if (this.#head === undefined) {
      const bytes = this.#joined();
      const end = bytes.indexOf(headEnd);
      if (end < 0) return;
      this.#head = readHead(bytes.toString('latin1', 0, end), end + headEnd.length);
    }
    const { start, length } = this.#head;
    if (length !== undefined) {
      if (this.#length >= start + length) this.#finish(this.#joined().subarray(start, start + length));
    } else if (chunk.length < lastChunk.length || chunk.subarray(-lastChunk.length).equals(lastChunk)) {
      const body = unchunked(this.#joined().subarray(start));
      if (body !== undefined) this.#finish(body);
    }
  }

  #joined() {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received, this.#length)];
    return this.#received[0];
  }

  #finish(body) {
    const { status } = this.#head;
    const { resolve } = this.#waiting;
    this.#received = [];
    this.#length = 0;
    this.#head = undefined;
    this.#waiting = undefined;
    resolve({ status, body });
  }
}

function readHead(text, start) {
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  return {
    status: Number(text.slice(9, 12)),
    start,
    length: length === undefined ? undefined : Number(length),
  };
}

/** A chunked body (RFC 9112 section 7.1) in one piece; undefined while its end is not there. */
function unchunked(bytes) {
  const parts = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const from = lineEnd + 2;
    if (from + size + 2 > bytes.length) return undefined;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(from, from + size));
    at = from + size + 2;
  }
}
