// SVG to PNG, twice as fine as its size says, so that it is sharp on any screen. The library is loaded when it is asked for first: of the
// threads only the nightly job's needs it. No fonts: what is drawn holds no text, and machines differ in what they have.

/** @returns a function that draws; synchronous, about half a millisecond for a small chart @throws Error where the library has no build for this machine */
export async function createPngPainter(): Promise<(svg: string) => Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  return (svg) => new Uint8Array(new Resvg(svg, { fitTo: { mode: "zoom", value: 2 }, font: { loadSystemFonts: false } }).render().asPng());
}
