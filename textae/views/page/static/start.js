// Begin as soon as places and topics are there; the rest of the page may still be on its way.

let atlas = null;

const started = (async () => {
  try {
    if (!("DecompressionStream" in window)) throw new Error("this browser is too old to unpack the map");
    atlas = new Atlas(await Corpus.open());
  } catch (error) {
    byId("wait").hidden = false;
    byId("wait").textContent = `The map cannot be shown: ${error.message}.`;
    throw error;
  }
})();
