const seconds = 1.5;
const [low, high] = [200, 3000];

/** A sound that rises from 200 to 3000 Hz within 1.5 seconds, at most 0.3 loud: the mean of the fixtures' channels. */
export function chirp(rate: number, amplitude = 0.3): Float32Array {
  return Float32Array.from({ length: Math.round(seconds * rate) }, (_, i) => {
    const t = i / rate;
    const phase = 2 * Math.PI * (low * t + ((high - low) * t * t) / (2 * seconds));
    return amplitude * Math.sin(phase) * Math.min(1, t / 0.05, (seconds - t) / 0.05);
  });
}

/** What the fixtures were made of: 44.1 kHz, 16 bits, the left channel twice as loud as the right one. */
export function chirpWav(): Buffer {
  const [left, right] = [chirp(44_100, 0.4), chirp(44_100, 0.2)];
  return wav([left, right], 44_100);
}

/** A WAVE file of 16-bit PCM. */
export function wav(channels: readonly Float32Array[], rate: number): Buffer {
  const frames = channels[0]!.length;
  const data = Buffer.alloc(frames * channels.length * 2);
  for (let i = 0; i < frames; i++)
    for (const [c, channel] of channels.entries())
      data.writeInt16LE(
        Math.max(-32768, Math.min(32767, Math.round(channel[i]! * 32768))),
        2 * (i * channels.length + c),
      );
  return riff(1, channels.length, rate, 16, data);
}

/** @param announced length of the data in its header */
export function riff(
  tag: number,
  channels: number,
  rate: number,
  bits: number,
  data: Buffer,
  announced = data.length,
): Buffer {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(36 + data.length, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(tag, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE((rate * channels * bits) / 8, 28);
  head.writeUInt16LE((channels * bits) / 8, 32);
  head.writeUInt16LE(bits, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(announced, 40);
  return Buffer.concat([head, data]);
}
