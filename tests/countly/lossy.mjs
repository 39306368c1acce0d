// A way to a daemon on which answers get lost: what was asked arrives, and who asked is told 500.
//
// This must not know what is asked.

import http from "node:http";

export class Lossy {
  // Of what was told, and let through: the status of each answer, in order.
  answered = [];
  lost = 0;
  // All that was let through, asked or told.
  passed = 0;
  #toLose = 0;
  #seen = 0;

  constructor(url) {
    this.server = http.createServer((request, response) => this.#pass(new URL(url), request, response));
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  lose(answers) {
    this.#toLose = answers;
  }

  // Waits until more was answered than the last time, and nothing waits any more. A request under way may be in no
  // queue: the answers have to stand still, too.
  async drained(isEmpty) {
    const seen = this.#seen;
    let quiet = 0;
    await until(() => {
      const all = this.answered.length;
      quiet = isEmpty() && all > seen && all === this.#seen ? quiet + 1 : 0;
      this.#seen = all;
      return quiet > 25;
    });
  }

  #pass({ hostname, port }, request, response) {
    const { method, url: path, headers } = request;
    const on = http.request({ hostname, port, method, path, headers }, (answer) => {
      const isTold = path.startsWith("/i");
      if (isTold && this.#toLose > 0) {
        this.#toLose -= 1;
        this.lost += 1;
        answer.resume();
        response.writeHead(500, { "access-control-allow-origin": "*" }).end();
        return;
      }
      this.passed += 1;
      if (isTold) this.answered.push(answer.statusCode);
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    on.on("error", () => response.destroy());
    request.pipe(on);
  }
}

export async function until(isSo) {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}
