"use strict";
// Says whether a file or a text is that of a public release. A shard finds candidates; nothing is believed but signed
// statements and what they state the digest of. The day of a signature is that in the statement: the clock here may be wrong.

/* Bytes and the newsroom's files */

const PAUSES = [0, 1000, 2000, 4000];  // milliseconds: while a correction is uploaded, files do not fit for a moment
const LARGEST = 1e9;  // bytes that a browser reads at once
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const hashed = async (bytes, name = "SHA-256") => new Uint8Array(await crypto.subtle.digest(name, bytes));
const digest = async (data) => hex(await hashed(typeof data === "string" ? encoder.encode(data) : data));
const bytesOf = (base64) => Uint8Array.from(atob(base64.replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
const joined = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

class Refused extends Error {}  // signed wrongly or not at all; the message is the name of the reason
class Unreadable extends Error {}  // nothing can be said

// The bytes of a file of the newsroom; null where there is none. Storages that list nothing answer 403 for it.
const read = async (key, cache = "no-cache") => {
  const answer = await fetch(key.split("/").map(encodeURIComponent).join("/"), { cache, credentials: "omit" }).catch(() => null);
  if (answer && [403, 404, 410].includes(answer.status)) return null;
  if (!answer?.ok) throw new Unreadable(key);
  return new Uint8Array(await answer.arrayBuffer().catch(() => { throw new Unreadable(key); }));
};
const readJson = async (key) => {
  try {
    return JSON.parse(decoder.decode(await read(key)));
  } catch {
    throw new Unreadable(key);
  }
};

/* Signatures: SSHSIG (PROTOCOL.sshsig) by keys of an allowed_signers file (ssh-keygen(1)) */

const NAMESPACE = "press-release";
const KINDS = ["ssh-ed25519", "sk-ssh-ed25519@openssh.com"];
const HASHES = { sha512: "SHA-512", sha256: "SHA-256" };

const instantOf = (text) => {
  const [found, year, month, day, ...time] = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?Z?$/.exec(text) ?? [];
  return found ? Date.UTC(year, month - 1, day, ...time.map((part) => Number(part ?? 0))) : NaN;
};
const signersOf = (text) => text.split("\n").flatMap((line) => {
  const words = line.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  if (!words.length || words[0].startsWith("#")) return [];
  const at = words.findIndex((word, place) => place > 0 && KINDS.includes(word));
  if (at < 1 || at > 2 || !words[at + 1]) return [];
  const options = at === 2 ? words[1].match(/[^,"]*(?:"[^"]*"[^,"]*)*/g).filter(Boolean) : [];
  const stated = Object.fromEntries(options.map((option) => {
    const [, name, value] = /^([a-z-]+)="?([^"]*)"?$/i.exec(option) ?? [null, "?", ""];
    return [name.toLowerCase(), value];
  }));
  const { namespaces = "", "valid-after": after, "valid-before": before, ...others } = stated;
  const signer = { name: words[0].replace(/"/g, "").split(",")[0], spaces: namespaces.split(",").filter(Boolean) };
  signer.after = after === undefined ? -Infinity : instantOf(after);
  signer.before = before === undefined ? Infinity : instantOf(before);
  if (Object.keys(others).length || Number.isNaN(signer.after) || Number.isNaN(signer.before)) return [];
  try {
    return [{ ...signer, key: bytesOf(words[at + 1]) }];
  } catch {
    return [];
  }
});
const isValid = (signer, day) => {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const starts = signer.after - (Number.isFinite(signer.after) ? signer.after % 86400000 : 0);
  return starts <= midnight && midnight < signer.before && (!signer.spaces.length || signer.spaces.includes(NAMESPACE));
};

const wire = (bytes) => {  // reads what SSH writes: numbers of four bytes, and strings with their length before them
  let at = 0;
  const raw = (length) => {
    if (at + length > bytes.length) throw new Refused("wrong");
    return bytes.slice(at, (at += length));
  };
  const number = () => new DataView(raw(4).buffer).getUint32(0);
  const string = () => raw(number());
  return { raw, number, string, text: () => decoder.decode(string()), isAtEnd: () => at === bytes.length };
};
const packed = (bytes) => joined(new Uint8Array(new Uint32Array([bytes.length]).buffer).reverse(), bytes);

// The signer whose signature of ``message`` this is, with a key that was valid on ``day``. Throws Refused.
const signerOf = async (message, armoured, signers, day) => {
  const [, body] = /^-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----\s*$/.exec(armoured) ?? [];
  if (!body) throw new Refused("wrong");
  const blob = wire(bytesOf(body));
  const isSshsig = decoder.decode(blob.raw(6)) === "SSHSIG" && blob.number() === 1;
  const [key, namespace, reserved, hash] = [blob.string(), blob.text(), blob.string(), blob.text()];
  const signature = wire(blob.string());
  const [stated, made] = [wire(key), signature.text()];
  const kind = stated.text();
  if (!isSshsig || !blob.isAtEnd() || namespace !== NAMESPACE || !HASHES[hash] || !KINDS.includes(kind) || made !== kind) throw new Refused("wrong");
  const listed = signers.filter((each) => hex(each.key) === hex(key));
  const signer = listed.find((each) => isValid(each, day));
  if (!signer) throw new Refused("stranger");
  const [point, proof] = [stated.string(), signature.string()];
  let signed = joined(encoder.encode("SSHSIG"), ...[encoder.encode(namespace), reserved, encoder.encode(hash), await hashed(message, HASHES[hash])].map(packed));
  if (kind === KINDS[1]) signed = joined(await hashed(stated.string()), signature.raw(5), await hashed(signed));
  const verifier = await crypto.subtle.importKey("raw", point, "Ed25519", false, ["verify"]);
  if (!(await crypto.subtle.verify("Ed25519", verifier, proof, signed))) throw new Refused("wrong");
  return { ...signer, fingerprint: `SHA256:${btoa(String.fromCharCode(...(await hashed(key)))).replace(/=+$/, "")}` };
};

// Whether this browser verifies Ed25519: it must find the first example of RFC 8032 right.
const isAble = async () => {
  try {
    const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
    const key = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const proof = bytes("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    const verifier = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return location.protocol.startsWith("http") && (await crypto.subtle.verify("Ed25519", verifier, proof, new Uint8Array()));
  } catch {
    return false;
  }
};

/* Statements */

const FACTS = ["guid", "address", "title", "revision", "instant", "status", "signed"];
const statementOf = (bytes) => {
  let lines;
  try {
    lines = decoder.decode(bytes).split("\n");
  } catch {
    throw new Refused("wrong");
  }
  const found = { files: new Map() };
  if (lines.shift() !== "press-release statement 1" || lines.pop() !== "") throw new Refused("wrong");
  for (const line of lines) {
    const [, sha256, key] = /^([0-9a-f]{64}) {2}(\S.*)$/.exec(line) ?? [];
    const [, name, value] = /^([a-z]+): (.*)$/.exec(line) ?? [];
    if (sha256) found.files.set(key, sha256);
    else if (name && name !== "files" && !(name in found)) found[name] = value;
    else throw new Refused("wrong");
  }
  if (FACTS.some((name) => !found[name])) throw new Refused("wrong");
  found.revision = Number(found.revision);
  return found;
};

// A statement at ``key`` with the signer of one of its signatures. Throws Refused.
const readSigned = async (key, signers, cache) => {
  const bytes = await read(key, cache);
  if (!bytes) throw new Refused("missing");
  const statement = statementOf(bytes);
  let reason = new Refused("missing");
  for (const name of [`${key}.sig`, `${key}.2.sig`]) {
    const signature = await read(name, cache);
    try {
      if (signature) return { ...statement, sha256: await digest(bytes), signer: await signerOf(bytes, decoder.decode(signature), signers, statement.signed) };
    } catch (fault) {
      reason = fault instanceof Refused ? fault : new Refused("wrong");
    }
  }
  throw reason;
};

// What ``attempt`` returns, once what it reads fits together. Throws the last Refused.
const settled = async (attempt) => {
  for (const [number, milliseconds] of PAUSES.entries()) {
    await pause(milliseconds);
    try {
      return await attempt(number ? "no-store" : "no-cache");
    } catch (fault) {
      if (!(fault instanceof Refused) || number === PAUSES.length - 1) throw fault;
    }
  }
};

// The newest statement of a release, and the newest one that ``states``, both signed; null if none of the two states it.
const statements = (slug, year, beginning, states) => settled(async (cache) => {
  const address = `releases/${slug}.html`;
  const signers = signersOf(new TextDecoder().decode((await read("signers", cache)) ?? new Uint8Array()));
  const newest = await readSigned(`releases/${slug}.statement`, signers, cache);
  if (newest.address !== address) throw new Refused("wrong");
  if (states(newest)) return { newest, stated: newest, slug };
  if (newest.sha256.startsWith(beginning)) return null;
  const stated = await readSigned(`statements/${year}/${slug}.${beginning}.statement`, signers, cache);
  const isOfIt = stated.address === address && stated.guid === newest.guid && stated.revision <= newest.revision;
  if (!isOfIt || !stated.sha256.startsWith(beginning)) throw new Refused("wrong");
  return states(stated) ? { newest, stated, slug } : null;
});

/* Lookups */

const ENTRY = 12;
const FEW = 8;  // releases that are looked at for one digest: many may have the same title or the same logo
const lookup = () => {  // keeps what it read for one check
  const shards = new Map();
  let index;
  return async (sha256) => {
    const { bits } = await (index ??= readJson("verify/index.json"));
    if (!Number.isInteger(bits) || bits < 4 || bits > 16) throw new Unreadable("verify/index.json");
    const key = `verify/${bits}/${parseInt(sha256.slice(0, 4), 16) >> (16 - bits)}.json`;
    if (!shards.has(key)) shards.set(key, readJson(key));
    const listed = await shards.get(key);
    if (!Array.isArray(listed)) throw new Unreadable(key);
    const isRow = ([slug, year, beginning, entries]) =>
      /^[^/\\]+$/.test(slug) && !/^\.+$/.test(slug) && Number.isInteger(year) && /^[0-9a-f]{16}$/.test(beginning) && typeof entries === "string";
    return listed.filter((row) => Array.isArray(row) && isRow(row) && row[3].match(/.{12}/g)?.includes(sha256.slice(0, ENTRY)));
  };
};

const BEST = ["current", "embargoed", "corrected", "withdrawn", "unconfirmed", "unknown"];
const kindOf = ({ newest, stated }) => {
  if (newest.status === "canceled") return "withdrawn";
  if (stated.status === "embargoed") return "embargoed";
  // What stands after the end mark, notes and contacts, may have been corrected too.
  const isSame = newest.corrections === stated.corrections && newest.words === stated.words;
  return newest.words && isSame ? "current" : "corrected";
};

// The answer for a file or for folded words with this digest.
const judged = async (sha256, find) => {
  const states = ({ words, files }) => words === sha256 || [...files.values()].includes(sha256);
  const judge = async ([slug, year, beginning]) => {
    try {
      const found = await statements(slug, String(year).padStart(4, "0"), beginning, states);
      return found ? { ...found, kind: kindOf(found), isLayout: found.stated !== found.newest } : { kind: "unknown" };
    } catch (fault) {
      if (!(fault instanceof Refused)) throw fault;
      return { kind: "unconfirmed", reason: fault.message };
    }
  };
  const found = await Promise.all((await find(sha256)).slice(0, FEW).map(judge));
  return [...found, { kind: "unknown" }].sort((one, other) => BEST.indexOf(one.kind) - BEST.indexOf(other.kind))[0];
};

/* Words */

const WHITE = "[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";  // as in pipeline/model/statement.py
const folded = (text) => text.normalize("NFC").replace(new RegExp(WHITE, "g"), " ").replace(/^ | $/g, "");
const form = document.querySelector(".check");
const marks = new Set(JSON.parse(form.dataset.ends).map(folded));
const isEnd = (text) => marks.has(text.toUpperCase()) || marks.has(text.toLocaleUpperCase("tr"));

// The words of SLUG.txt from headline to end mark, without the latter if ``open``.
const wordsOf = (copy, title, isOpen) => {
  const parts = copy.split("\n\n").map(folded);
  const start = parts.indexOf(folded(title));
  if (start < 0) return "";
  const end = parts.findIndex((part, at) => at > start && marks.has(part));
  return folded(parts.slice(start, end < 0 ? undefined : isOpen ? end : end + 1).join(" "));
};

// Words; single signs in scripts that are written without blanks.
const SIGNS = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー、。「」『』（）・，：；！？";
const TOKEN = new RegExp(`[${SIGNS}]\\p{M}*|[^\\s${SIGNS}]+`, "gu");
const INVISIBLE = /[\u00ad\u200b\u200e\u200f\u2060\u2066-\u2069\ufeff]/g;
const tokensOf = (text) => [...text.matchAll(TOKEN)].map(({ 0: word, index }) => ({ word, isAfterBlank: text[index - 1] === " " }));
const bare = (word) => word.replace(/^\[|\]$/g, "");
// Headings are in capitals in a plain-text copy alone, captions and notes in brackets.
const isSame = ({ word: ours }, { word: theirs }) => {
  const [one, other] = [bare(ours), bare(theirs)];
  const isCapital = one !== one.toLowerCase() && one === one.toUpperCase();
  return one === other || (isCapital && (one === other.toUpperCase() || one === other.toLocaleUpperCase("tr")));
};

// What differs, as [sign, tokens]: "=" both, "-" only ours, "+" only theirs. Myers, "An O(ND) Difference Algorithm".
const FARTHEST = 3000;  // steps; texts that differ more are told as a whole
const differences = (ours, theirs) => {
  let start = 0;
  while (start < ours.length && start < theirs.length && isSame(ours[start], theirs[start])) start += 1;
  let [end, last] = [ours.length, theirs.length];
  while (end > start && last > start && isSame(ours[end - 1], theirs[last - 1])) [end, last] = [end - 1, last - 1];
  const between = shortest(ours.slice(start, end), theirs.slice(start, last));
  return [["=", ours.slice(0, start)], ...between, ["=", ours.slice(end)]].filter(([, tokens]) => tokens.length);
};
const isDown = (reached, line, steps) => line === -steps || (line !== steps && reached(line - 1) < reached(line + 1));
const shortest = (one, other) => {
  const most = Math.min(one.length + other.length, FARTHEST);
  const farthest = new Int32Array(2 * most + 3);  // by line, from -most - 1
  const trace = [];
  for (let steps = 0; steps <= most; steps += 1) {
    const before = farthest.slice(most - steps, most + steps + 3);
    const reached = (line) => before[line + steps + 1];
    trace.push(reached);
    for (let line = -steps; line <= steps; line += 2) {
      let at = isDown(reached, line, steps) ? reached(line + 1) : reached(line - 1) + 1;
      while (at < one.length && at - line < other.length && isSame(one[at], other[at - line])) at += 1;
      farthest[line + most + 1] = at;
      if (at >= one.length && at - line >= other.length) return walked(one, other, trace);
    }
  }
  return [["-", one], ["+", other]];
};
const walked = (one, other, trace) => {
  const found = [];
  let [at, to] = [one.length, other.length];
  const add = (sign, token) => {
    if (found.at(-1)?.[0] === sign) found.at(-1)[1].push(token);
    else found.push([sign, [token]]);
  };
  for (let steps = trace.length - 1; steps > 0; steps -= 1) {
    const [reached, line] = [trace[steps], at - to];
    const before = isDown(reached, line, steps) ? line + 1 : line - 1;
    const from = reached(before);
    while (at > from && to > from - before) add("=", one[(to -= 1, at -= 1)]);
    if (before > line) add("+", other[(to -= 1)]);
    else add("-", one[(at -= 1)]);
  }
  while (at > 0) add("=", one[(at -= 1)]);
  return found.reverse().map(([sign, tokens]) => [sign, tokens.reverse()]);
};

// What a page or a document shows in another way than the plain-text copy: addresses of links, marks of lists, rules.
const ADDRESS = / \([^\s()]+[./@][^\s()]+\)/g;
const isDrawn = ([sign, tokens]) => sign !== "=" && tokens.every(({ word }) => (sign === "-" ? /^[-*]$/ : /^[•◦▪*-]$/).test(word));
const merged = (found) => found.reduce((all, [sign, tokens]) => {
  if (all.at(-1)?.[0] === sign) all.at(-1)[1].push(...tokens);
  else all.push([sign, [...tokens]]);
  return all;
}, []);

// Compares our words with theirs: the same, a part, or the differences.
const compared = (copy, theirs) => {
  const plain = copy.replace(ADDRESS, (address) => (theirs.includes(address.trim()) ? address : ""));
  const [one, other] = [plain, theirs].map((text) => tokensOf(folded(text.replace(INVISIBLE, ""))));
  const found = merged(differences(one, other).filter((each) => !isDrawn(each)));
  if (found.every(([sign]) => sign === "=")) return { isSame: true };
  const isWithin = (at) => other.every((token, number) => at + number < one.length && isSame(one[at + number], token));
  if (other.length >= 8 && one.some((_, at) => isWithin(at))) return { isPart: true };
  return { differences: found };
};

// What is said of ``text``, of which the release is known: the newest words are those of SLUG.txt, whose digest is signed.
const comparedWith = async (found, text, hasEnd) => {
  const { newest, slug } = found;
  if (newest.status === "canceled") return { ...found, kind: "unknown", isWithdrawn: true };
  const key = `releases/${slug}.txt`;
  const copy = await settled(async (cache) => {
    const bytes = await read(key, cache);
    if (!bytes) throw new Refused("missing");
    if ((await digest(bytes)) !== newest.files.get(key)) throw new Refused("wrong");
    return decoder.decode(bytes);
  });
  const result = compared(wordsOf(copy, newest.title, !hasEnd), text);
  return { ...found, ...result, stated: newest, kind: result.differences ? "differs" : "current" };
};

const HEAD = 12;  // lines before which a headline is looked for
const judgedText = async (text) => {
  const find = lookup();
  const whole = await judged(await digest(folded(text)), find);
  if (whole.kind !== "unknown") return whole;
  const lines = text.split(/[\n\r\v\f\x85\u2028\u2029]+/).map(folded).filter(Boolean);
  const rest = (start) => {
    const end = lines.findIndex((line, at) => at > start && isEnd(line));
    return { words: lines.slice(start, end < 0 ? undefined : end + 1).join(" "), hasEnd: end >= 0 };
  };
  let doubt = null;
  for (const length of [1, 2, 3]) {  // a headline that was copied from paper has several lines
    const titles = lines.slice(0, HEAD).flatMap((_, start) => {
      const parts = lines.slice(start, start + length);
      const texts = length > 1 ? [parts.join(" "), parts.join("")] : parts;
      return parts.length < length ? [] : texts.map((title) => ({ start, title }));
    });
    const rows = await Promise.all(titles.map(async ({ title }) => find(await digest(title))));
    for (const [at, { start, title }] of titles.entries()) {
      const own = rest(start);
      let nearest = null;
      const slugs = new Set();
      for (const [slug, year, beginning] of rows[at]) {
        if (slugs.has(slug) || slugs.size === FEW) continue;
        slugs.add(slug);
        try {
          const found = await statements(slug, String(year).padStart(4, "0"), beginning, (each) => folded(each.title) === title);
          if (!found) continue;
          const exact = await judged(await digest(own.words), find);
          if (exact.kind !== "unknown") return exact;
          const answer = await comparedWith(found, own.words, own.hasEnd);
          if (answer.kind === "current") return answer;
          if (!nearest || size(answer) < size(nearest)) nearest = answer;
        } catch (fault) {
          if (!(fault instanceof Refused)) throw fault;
          doubt = { kind: "unconfirmed", reason: fault.message };
        }
      }
      if (nearest) return nearest;
    }
    if (doubt) return doubt;
  }
  for (const slug of await nearestOf(text)) {
    try {
      const found = await statements(slug, "", "", () => true);
      return await comparedWith(found, folded(text), lines.some(isEnd));
    } catch (fault) {
      if (!(fault instanceof Refused)) throw fault;  // otherwise nothing is known of this release
    }
  }
  return whole;
};
const size = (answer) => answer.differences?.filter(([sign]) => sign !== "=").reduce((sum, [, tokens]) => sum + tokens.length, 0) ?? Infinity;

// Releases with most of the words of ``text``, the nearest first, by the files of the search.
const MANY = 20e6;  // bytes of these files, newest first
const nearestOf = async (text) => {
  const words = [...new Set(text.normalize("NFC").replace(INVISIBLE, "").toLowerCase().split(/\s+/).map((word) => word.replace(/^[\p{P}\p{S}]+|[\p{P}\p{S}]+$/gu, "")))];
  const isDense = new RegExp(`[${SIGNS}]{4}`, "u");
  const dense = words.filter((word) => isDense.test(word)).flatMap((word) => word.match(/.{4}/gu)).slice(0, 100);
  const plain = words.filter((word) => word && !isDense.test(word)).slice(0, 600);
  if (plain.length + dense.length < 5) return [];
  const near = [];
  let bytes = 0;
  for (const part of form.dataset.parts.split(" ").filter(Boolean)) {
    const data = await read(`archive/${part}.search.json`).catch(() => null);
    if (!data) continue;
    for (const [slug, , , , , , , , known] of JSON.parse(decoder.decode(data)).releases) {
      const all = new Set(known.split(" "));
      const share = (plain.filter((word) => all.has(word)).length + dense.filter((piece) => known.includes(piece)).length) / (plain.length + dense.length);
      if (share > 0.6) near.push({ slug, share });
    }
    bytes += data.length;
    if (near.some(({ share }) => share > 0.9) || bytes > MANY) break;
  }
  return near.sort((one, other) => other.share - one.share).slice(0, 3).map(({ slug }) => slug);
};

/* The page */

const status = document.querySelector(".found");
const answers = document.querySelector(".answers");
const language = document.documentElement.lang;
const formatted = (instant, options) => {
  try {
    return new Intl.DateTimeFormat(language, options).format(new Date(instant));
  } catch {
    return instant;
  }
};
const day = (instant, zone) => formatted(instant, { dateStyle: "long", timeZone: zone });
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

const marked = (found) => {  // long passages that are the same are shortened
  const shown = [];
  const text = (tokens) => tokens.map(({ word, isAfterBlank }, at) => (at && isAfterBlank ? " " : "") + word).join("");
  for (const [at, [sign, tokens]] of found.entries()) {
    if (shown.length && tokens[0].isAfterBlank) shown.push(" ");
    if (sign === "=") {
      const [first, last] = [at === 0 ? 0 : 12, at === found.length - 1 ? 0 : 12];
      shown.push(tokens.length > first + last + 6 ? [text(tokens.slice(0, first)), "…", text(tokens.slice(tokens.length - last))].filter(Boolean).join(" ") : text(tokens));
      continue;
    }
    const element = document.createElement(sign === "+" ? "ins" : "del");
    const spoken = document.createElement("span");
    spoken.className = "unseen";
    spoken.textContent = ` (${sign === "+" ? form.dataset.inserted : form.dataset.deleted}:) `;
    element.append(spoken, text(tokens));
    shown.push(element);
  }
  return shown;
};

const note = async (slug) => {
  try {
    return String(JSON.parse(decoder.decode(await read(`releases/${slug}.json`))).edNote ?? "");
  } catch {
    return "";
  }
};

const show = async (what, answer) => {
  const { kind, stated, newest, slug, reason } = answer;
  const made = document.querySelector(`template[data-kind="${kind}"]`).content.cloneNode(true).firstElementChild;
  const slot = (name) => made.querySelector(`[data-slot="${name}"]`);
  const known = {
    layout: kind === "current" && answer.isLayout,
    same: answer.isSame,
    part: answer.isPart,
    reason: Boolean(reason),
    title: Boolean(stated),
    version: Boolean(stated),
    differences: kind === "differs",
    signed: Boolean(stated?.signer),
  };
  slot("what").textContent = what;
  if (stated) {
    const link = slot("title").firstElementChild;
    [link.textContent, link.href] = [newest.title, `releases/${encodeURIComponent(slug)}.html`];
    const date = day(stated.instant, form.dataset.zone);
    const instant = formatted(stated.instant, { dateStyle: "long", timeStyle: "long", timeZone: form.dataset.zone });
    slot("version").textContent = kind === "embargoed" ? filled(form.dataset.embargo, { when: instant })
      : answer.isWithdrawn ? filled(form.dataset.withdrawn, { date: day(newest.instant, form.dataset.zone) })
      : filled(slot("version").textContent, { number: stated.revision, date });
    const [text, fingerprint] = slot("signed").querySelectorAll(":scope > span, :scope > code");
    text.textContent = filled(text.textContent, { who: `\u2068${stated.signer.name}\u2069`, date: day(`${stated.signed}T12:00:00Z`, "UTC") });
    fingerprint.textContent = stated.signer.fingerprint;
    const isChanged = kind === "withdrawn" || answer.isWithdrawn || (newest.revision > 1 && kind !== "current");
    known.note = isChanged && Boolean((slot("note").textContent = await note(slug)));
  }
  if (reason) slot("reason").textContent = form.dataset[reason];
  if (known.differences) made.querySelector(".differences").append(...marked(answer.differences));
  for (const part of made.querySelectorAll("[data-slot]")) if (part.dataset.slot !== "what" && !known[part.dataset.slot]) part.remove();
  answers.prepend(made);
  say([made.querySelector("h2 span").textContent, what].filter(Boolean).join(": "), true);
  made.scrollIntoView({ block: "nearest" });
};

const say = (text, isShown = false) => {  // what is shown below is only read aloud
  status.textContent = text;
  status.classList.toggle("unseen", isShown);
};

let running = Promise.resolve();  // one check after the other
const check = (what, judge) => {
  running = running.then(async () => {
    say(filled(form.dataset.checking, { what }));
    try {
      await show(what, await judge());
    } catch (fault) {
      if (!(fault instanceof Unreadable)) throw fault;
      say(`${what}: ${fault.message === "file" ? form.dataset.unreadable : form.dataset.failed}`);
    }
  });
};
const checkFiles = (files) => {
  for (const file of files) {
    check(file.name, async () => {
      let bytes;
      try {
        if (file.size > LARGEST) throw new RangeError();
        bytes = await file.arrayBuffer();
      } catch {
        throw new Unreadable("file");
      }
      return judged(await digest(bytes), lookup());
    });
  }
};

const start = async () => {
  if (!(await isAble())) {
    await show("", { kind: "browser" });
    return;
  }
  const [field, words] = [form.querySelector("#FILE"), form.querySelector("#WORDS")];
  form.hidden = false;
  field.addEventListener("change", () => {
    checkFiles([...field.files]);
    field.value = "";  // so that the same file can be chosen again
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (words.value.trim()) check(form.dataset.pasted, () => judgedText(words.value));
    else words.focus();
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();  // otherwise a file that misses the field replaces the page
    form.classList.add("over");
  });
  addEventListener("dragleave", () => form.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    checkFiles([...event.dataTransfer.files]);
  });
};
start();
