// The one way in: an order, as the page or a test gives it, becomes a report. Runs in a worker or in the page itself.

/**
 * `order`: { kind: "bundle" | "receipt", file: Blob, name, keys: text, checkpoint, sidecar, entry: bytes or null,
 * requireSidecar }. The report: { ok, problems: [{ part, code, params, where }], proved, unchecked: [[code, params]] },
 * or { wrongUse: problem } when the keys can't be read, a receipt's entry must be given, or another file is given in the
 * place of one. Throws when a file can't be read.
 */
async function verify(order, onProgress = () => {}) {
  let trusted;
  try {
    trusted = parseKeys(order.keys.trim(), "key");
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return { wrongUse: fault.problem };
  }
  const verifier = new Verifier(trusted, order.name);
  return verifier.judge(async () => {
    refuseOther(order.checkpoint);
    if (order.kind === "receipt") {
      await verifier.earlierCheckpoint(order.checkpoint);
      await readReceipt(verifier, new Uint8Array(await order.file.slice(0, MAX_RECEIPT_BYTES + 1).arrayBuffer()), order.entry);
      return;
    }
    // What has to be read: the ZIP for its own hash, then everything in it.
    let read = 0;
    const total = () => {
      let bytes = order.sidecar ? order.file.size : 0;
      for (const member of verifier.zip.members.values()) bytes += member.size;
      return bytes || 1;
    };
    let told = 0;
    const onRead = (bytes) => {
      read += bytes;
      const share = Math.min(1, read / total());
      if (share - told >= 0.005) onProgress((told = share));
    };
    await verifier.bundle(order.file, order.sidecar, order.requireSidecar, order.checkpoint, onRead);
  });
}

if (typeof document === "undefined") {
  self.onmessage = async ({ data: order }) => {
    try {
      self.postMessage({ report: await verify(order, (share) => self.postMessage({ share })) });
    } catch (error) {
      self.postMessage({ failed: String(error) });
    }
  };
}
