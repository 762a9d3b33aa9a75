// A video on the server: sent, asked how far it is, ended. In the words of people.
import { formOf, Refusal, ROOT, unreached } from "./api.js";

const addressOf = (id) => new URL(`v1/video/${encodeURIComponent(id)}`, ROOT).href;

export const fileOf = (id) => `${addressOf(id)}/file`;

// request: as `stylize` of api.js has it, but `content` is the video, and {title, steady: in per cent,
// start, end: seconds or null}. Resolves to the job, as the service tells of it; `sent` is called with
// the share that has been sent so far.
export function order(request, { signal, sent }) {
  const form = formOf(request);
  form.append("steady", request.steady / 100);
  for (const name of ["start", "end"]) {
    if (request[name] !== null) form.append(name, request[name]);
  }
  return new Promise((resolve, reject) => {
    // `fetch` does not tell how much has been sent.
    const asking = new XMLHttpRequest();
    asking.open("POST", new URL("v1/video", ROOT));
    asking.setRequestHeader("X-Requested-With", "fetch");
    asking.responseType = "json";
    asking.upload.addEventListener("progress", ({ loaded, total }) => sent(loaded / total));
    asking.addEventListener("load", () => {
      if (asking.status === 202) resolve(asking.response);
      else reject(refusal(asking.status, asking.response?.error || "", request.title));
    });
    asking.addEventListener("error", () => reject(unreached()));
    const givenUp = () => new DOMException("given up", "AbortError");
    asking.addEventListener("abort", () => reject(givenUp()));
    signal.addEventListener("abort", () => asking.abort());
    asking.send(form);
  });
}

// How far it is; null where the server has it no longer.
export async function ask(id, signal) {
  const answer = await request(addressOf(id), { signal });
  if (answer.status === 404) return null;
  if (!answer.ok) throw refusal(answer.status, "", "The video");
  return answer.json();
}

export async function end(id) {
  await request(addressOf(id), { method: "DELETE" });
}

async function request(address, how) {
  try {
    return await fetch(address, { ...how, headers: { "X-Requested-With": "fetch" } });
  } catch (error) {
    throw error.name === "AbortError" ? error : unreached();
  }
}

function refusal(status, error, title) {
  const sentences = {
    401: "Your login has ended: reload the page to sign in again.",
    413: `${title} is larger than this server takes.`,
    501: "This server does not make videos.",
    503: "The server has other videos to make first. Try again later.",
    507: "The server is short of disk just now: try again later.",
  };
  const ours = status >= 500 ? "Something went wrong on the server: it is not your video." : "";
  return new Refusal(sentences[status] || ours || inWords(error, title), status);
}

// What the service says of a video, of the file that somebody has chosen.
export const inWords = (error, title) => error.replace(/^content:/, `${title}:`);
