/** The text of a stream. */
export async function bodyOf(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

/**
 * The first bytes of a fetch's response, and whether there were more. What is beyond the limit is
 * not read: the connection ends.
 *
 * @param {Response} response
 * @param {number} limit bytes, counted after decompression
 */
export async function readUpTo(response, limit) {
  const chunks = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) break; // leaves the loop, which cancels the body
  }
  return { bytes: Buffer.concat(chunks).subarray(0, limit), truncated: size > limit };
}
