#!/usr/bin/python3
"""Bad files and odd folders, each with what must become of it.

    corpus.write(folder, picture) -> [Case(path, outcome, note)]
    corpus.py FOLDER PICTURE      writes the corpus and prints the cases

picture is a photograph or drawing of one face that the detector finds, at least 200 pixels on a side. Paths are
bytes, relative to folder: IDENTITY/FILE. outcome is "delivered", a reason code, or None where nothing is a
sample at all (an empty folder). What cannot be made on this machine (an unreadable file for root) is left out,
with a line on stderr that says so.
"""
import collections
import os
import struct
import sys
import zlib

import cv2
import numpy

Case = collections.namedtuple("Case", "path outcome note")


# Encoders ------------------------------------------------------------------------------------------------------

def encode(extension, pixels, *options):
    done, data = cv2.imencode(extension, pixels, list(options))
    if not done:
        raise RuntimeError("cannot encode " + extension)
    return data.tobytes()


def jpeg(pixels, *options):
    return encode(".jpg", pixels, *(options or (cv2.IMWRITE_JPEG_QUALITY, 92)))


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour, rows, before=b"", interlace=0):
    """A PNG from rows that are filtered already (each begins with its filter byte)."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + before + png_chunk(b"IDAT", zlib.compress(rows)) +
            png_chunk(b"IEND", b""))


def png_palette(pixels):
    """Grey levels through a palette of 64."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) >> 2
    palette = b"".join(bytes([4 * i + 2] * 3) for i in range(64))
    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    return png(grey.shape[1], grey.shape[0], 8, 3, rows, png_chunk(b"PLTE", palette))


def png_interlaced(pixels):
    """Adam7 without filters."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rgb = pixels[:, :, ::-1]
    rows = b""
    for x, y, step_x, step_y in passes:
        for row in rgb[y::step_y, x::step_x]:
            rows += b"\0" + row.tobytes()
    return png(pixels.shape[1], pixels.shape[0], 8, 2, rows, interlace=1)


def bmp(width, height, bits, compression, data, palette=b""):
    start = 54 + len(palette)
    return (b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) +
            struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0) +
            palette + data)


def bmp_top_down(pixels):
    width = pixels.shape[1] // 4 * 4
    return bmp(width, -pixels.shape[0], 24, 0, numpy.ascontiguousarray(pixels[:, :width]).tobytes())


def bmp_rle(pixels):
    """8-bit run lengths, every run as it comes."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) & 0xF0
    data = bytearray()
    for row in grey[::-1]:
        at = 0
        while at < len(row):
            run = 1
            while at + run < len(row) and run < 255 and row[at + run] == row[at]:
                run += 1
            data += bytes([run, row[at]])
            at += run
        data += b"\0\0"
    data[-1] = 1
    palette = b"".join(bytes([i, i, i, 0]) for i in range(256))
    return bmp(grey.shape[1], grey.shape[0], 8, 1, bytes(data), palette)


def tiff(entries, rest=b"", following=0):
    """A little-endian TIFF of one directory; entries are (tag, type, count, value)."""
    directory = struct.pack("<H", len(entries))
    for entry in sorted(entries):
        directory += struct.pack("<HHII", *entry)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", following) + rest


def tiff_grey(pixels, following=0, offset=None, bits=8):
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    start = 8 + 2 + 9 * 12 + 4 if offset is None else offset
    return tiff([(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, 1), (262, 3, 1, 1),
                 (273, 4, 1, start), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, width * height)],
                grey.tobytes(), following)


def exif_block(orientation):
    return tiff([(274, 3, 1, orientation)])


def with_exif(data, block):
    """A JPEG with an EXIF segment after its start."""
    segment = b"Exif\0\0" + block
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def stored_for(pixels, orientation):
    """The pixels as a camera stores them so that EXIF orientation turns them upright."""
    transposed = numpy.transpose(pixels, (1, 0, 2))
    return numpy.ascontiguousarray({1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1],
                                    5: transposed, 6: transposed[::-1], 7: transposed[::-1, ::-1],
                                    8: transposed[:, ::-1]}[orientation])


class Bits:
    """Bits of a JPEG scan: most significant first, a zero byte after each 255."""

    def __init__(self):
        self.bits = []

    def add(self, value, count):
        self.bits.append(format(value, "0%db" % count) if count else "")

    def bytes(self):
        text = "".join(self.bits)
        text += "1" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")


# Annex K.3 of the JPEG standard: number of codes of each length, then sizes of luminance differences.
DC_COUNTS = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
DC_CODES = [(0, 2), (2, 3), (3, 3), (4, 3), (5, 3), (6, 3), (14, 4), (30, 5), (62, 6), (126, 7), (254, 8), (510, 9)]


def jpeg_of_four(planes, adobe):
    """A JPEG of four components whose 8 x 8 blocks are flat: one value of each plane a block. cv2 writes none.
    adobe: the colour transform that Adobe's marker tells, or None for no marker."""
    height, width = planes[0].shape
    bits, last = Bits(), [0, 0, 0, 0]
    for y in range(height):
        for x in range(width):
            for c in range(4):
                value = int(planes[c][y, x]) - 128
                difference, last[c] = value - last[c], value
                size = abs(difference).bit_length()
                bits.add(*DC_CODES[size])
                bits.add(difference if difference > 0 else difference + (1 << size) - 1, size)
                bits.add(0, 1)  # end of block, the only AC code
    components = b"".join(bytes([c + 1, 0x11, 0]) for c in range(4))
    out = b"\xff\xd8"
    if adobe is not None:
        out += b"\xff\xee" + struct.pack(">H5sHHHB", 14, b"Adobe", 100, 0, 0, adobe)
    out += b"\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([8] * 64)
    out += b"\xff\xc0" + struct.pack(">HBHHB", 20, 8, 8 * height, 8 * width, 4) + components
    out += b"\xff\xc4" + struct.pack(">HB", 31, 0) + DC_COUNTS + bytes(range(12))
    out += b"\xff\xc4" + struct.pack(">HB", 20, 0x10) + bytes([1] + [0] * 15) + b"\0"
    out += b"\xff\xda" + struct.pack(">HB", 14, 4) + b"".join(bytes([c + 1, 0]) for c in range(4)) + b"\0\x3f\0"
    return out + bits.bytes() + b"\xff\xd9"


def cmyk(pixels, kind):
    """kind: plain (no marker), adobe (stored inverted) or ycck (the same, as luminance and chroma)."""
    small = cv2.resize(pixels, (100, 100), interpolation=cv2.INTER_AREA)
    blue, green, red = cv2.split(small)
    full, none = numpy.full_like(red, 255), numpy.zeros_like(red)
    if kind == "plain":
        return jpeg_of_four([255 - red, 255 - green, 255 - blue, none], None)
    if kind == "adobe":
        return jpeg_of_four([red, green, blue, full], 0)
    luminance, chroma_red, chroma_blue = cv2.split(cv2.cvtColor(255 - small, cv2.COLOR_BGR2YCrCb))
    return jpeg_of_four([luminance, chroma_blue, chroma_red, full], 2)


def frame_at(data):
    """Where the frame header of a JPEG begins."""
    at = 2
    while data[at + 1] not in (0xC0, 0xC2):
        at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    return at


def patched(data, at, new):
    return data[:at] + new + data[at + len(new):]


def webp_animated(pixels):
    """Two frames."""
    height, width = pixels.shape[:2]
    still = encode(".webp", pixels, cv2.IMWRITE_WEBP_QUALITY, 90)[12:]
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    frame = b"\0\0\0\0\0\0" + size + struct.pack("<I", 100)[:3] + b"\0" + still
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    body += b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    for _ in range(2):
        body += b"ANMF" + struct.pack("<I", len(frame)) + frame + b"\0" * (len(frame) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def opaque(pixels):
    """With an alpha that hides a corner and no part of the face."""
    alpha = numpy.full(pixels.shape[:2], 255, numpy.uint8)
    alpha[:20, :20] = 0
    return numpy.dstack([pixels, alpha])


# Cases ---------------------------------------------------------------------------------------------------------

def good_files(face):
    """Unusual pictures that are all right."""
    base, wide = jpeg(face), face.astype(numpy.uint16) * 257
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    yield "plain.jpg", base, "nothing unusual"
    yield "grey.jpg", jpeg(grey), "one component"
    yield "progressive.jpg", jpeg(face, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), "progressive"
    yield "restart.jpg", jpeg(face, cv2.IMWRITE_JPEG_RST_INTERVAL, 4), "restart markers"
    yield "after_end.jpg", base + b"garbage" * 99, "bytes after the end of the picture"
    yield "cmyk.jpg", cmyk(face, "plain"), "four inks"
    yield "cmyk_adobe.jpg", cmyk(face, "adobe"), "four inks, inverted as Adobe does"
    yield "ycck_adobe.jpg", cmyk(face, "ycck"), "four inks as luminance and chroma"
    yield "exif_corrupt.jpg", with_exif(base, b"II*\0\xff\xff\xff\xffjunk"), "a directory far outside"
    yield "exif_huge_count.jpg", with_exif(base, tiff([(274, 3, 0xFFFFFFFF, 0xFFFFFFF0)])), "4 billion values"
    yield "exif_entries.jpg", with_exif(base, b"MM\0*\0\0\0\x08\xff\xff"), "65535 entries, none there"
    yield "exif_nine.jpg", with_exif(base, exif_block(9)), "an orientation that does not exist"
    for orientation in range(1, 9):
        turned = jpeg(stored_for(face, orientation))
        yield "exif_%d.jpg" % orientation, with_exif(turned, exif_block(orientation)), "turned upright"
    yield "plain.png", encode(".png", face), "PNG"
    yield "grey.png", encode(".png", grey), "PNG of one channel"
    yield "wide.png", encode(".png", wide), "PNG of 16 bits"
    yield "wide_grey.png", encode(".png", grey.astype(numpy.uint16) * 257), "PNG of 16 bits, one channel"
    yield "alpha.png", encode(".png", opaque(face)), "PNG with transparency"
    yield "palette.png", png_palette(face), "PNG with a palette"
    yield "interlaced.png", png_interlaced(face), "PNG, Adam7"
    yield "plain.bmp", encode(".bmp", face), "BMP"
    yield "top_down.bmp", bmp_top_down(face), "BMP of negative height"
    yield "rle.bmp", bmp_rle(face), "BMP with run lengths"
    yield "lossy.webp", encode(".webp", face, cv2.IMWRITE_WEBP_QUALITY, 90), "WebP"
    yield "lossless.webp", encode(".webp", face, cv2.IMWRITE_WEBP_QUALITY, 101), "WebP without loss"
    yield "alpha.webp", encode(".webp", opaque(face), cv2.IMWRITE_WEBP_QUALITY, 90), "WebP with transparency"
    yield "plain.tif", encode(".tif", face), "TIFF"
    yield "wide.tiff", encode(".tiff", wide), "TIFF of 16 bits"
    yield "cyclic.tif", tiff_grey(face, following=8), "TIFF whose next page is its first"
    yield "really_png.jpg", encode(".png", face), "PNG called .jpg"
    yield "really_jpeg.png", base, "JPEG called .png"
    yield "UPPER.JPG", base, "upper-case extension"
    yield "Mixed.JpEg", base, "extension in both cases"


def bad_files(face):
    """Files that are rejected: name, bytes, reason, note."""
    base, good_png, good_bmp = jpeg(face), encode(".png", face), encode(".bmp", face)
    good_webp, good_tiff = encode(".webp", face, cv2.IMWRITE_WEBP_QUALITY, 90), encode(".tif", face)
    frame = frame_at(base)
    yield "empty.jpg", b"", "empty", "no bytes"
    yield "zeros.jpg", bytes(5000), "not_an_image", "zero-filled"
    yield "text.jpg", b"this is no picture\n" * 20, "not_an_image", "text"
    yield "html.png", b"<!DOCTYPE html><title>404</title>", "not_an_image", "an error page saved as a picture"
    yield "short.jpg", b"\xff", "not_an_image", "one byte"
    yield "start_only.jpg", b"\xff\xd8\xff", "corrupt", "the magic bytes and nothing else"
    for share in (10, 50, 99):
        yield "cut_%d.jpg" % share, base[:len(base) * share // 100], "corrupt", "cut off at %d %%" % share
    yield "cut_end.jpg", base[:-2], "corrupt", "without its end marker"
    yield "zero_tail.jpg", base[:len(base) // 2] + bytes(len(base) // 2), "corrupt", "second half zero-filled"
    yield "damaged.jpg", patched(base, len(base) // 2, b"\xff\xff\xd0\xff" * 50), "corrupt", "damaged in the middle"
    yield "two_frames.jpg", base[:frame] + base[frame:frame + 19] + base[frame:], "corrupt", "two frame headers"
    yield "bits12.jpg", patched(base, frame + 4, b"\x0c"), "unsupported", "12 bits a sample"
    yield "lossless.jpg", patched(base, frame + 1, b"\xc3"), "unsupported", "lossless JPEG"
    yield "two.jpg", patched(base, frame + 9, b"\x02"), "unsupported", "two components"
    yield "bomb.jpg", patched(base, frame + 5, b"\xff\xff\xff\xff"), "too_large", "claims 65535 x 65535"
    yield "no_height.jpg", patched(base, frame + 5, b"\0\0"), "corrupt", "claims no rows"
    for share in (10, 50, 99):
        yield "cut_%d.png" % share, good_png[:len(good_png) * share // 100], "corrupt", "cut off at %d %%" % share
    yield "sum.png", patched(good_png, len(good_png) // 2, b"\x55\xaa\x55"), "corrupt", "a wrong check sum"
    yield "few_rows.png", png(300, 300, 8, 0, b"\0" * 301 * 9), "corrupt", "nine rows of 300"
    yield "bomb.png", png(50000, 50000, 8, 2, bytes(1 << 20)), "too_large", "2.5 billion pixels"
    yield "giant.png", png(0x7FFFFFFF, 0x7FFFFFFF, 16, 6, b""), "too_large", "4.6e18 pixels"
    yield "cut.bmp", good_bmp[:len(good_bmp) // 2], "corrupt", "cut off"
    yield "bomb.bmp", bmp(60000, 60000, 1, 1, b"\0\1"), "too_large", "3.6 billion pixels in two bytes"
    yield "lowest.bmp", bmp(100, -0x80000000, 24, 0, b""), "corrupt", "the height that has no opposite"
    yield "huffman.bmp", bmp(8, 8, 24, 9, bytes(400)), "unsupported", "an unknown compression"
    yield "cut.webp", good_webp[:len(good_webp) // 2], "corrupt", "cut off"
    yield "animated.webp", webp_animated(face), "unsupported", "two frames"
    yield "cut.tif", good_tiff[:len(good_tiff) // 2], "corrupt", "cut off"
    yield "outside.tif", tiff_grey(face, offset=0x7FFFFFFF), "corrupt", "pixels outside of the file"
    yield "no_pixels.tif", tiff([(256, 4, 1, 300), (257, 4, 1, 300)]), "corrupt", "a directory and no pixels"
    yield "bits32.tif", tiff_grey(face, bits=32), "unsupported", "32 bits a sample"
    yield "animation.jpg", b"GIF89a" + bytes(40), "unsupported", "GIF"
    yield "heif.jpg", b"\0\0\0\x18ftypheic" + bytes(40), "unsupported", "HEIF"
    flat = numpy.full((300, 300, 3), 128, numpy.uint8)
    yield "flat.jpg", jpeg(flat), "no_face", "nothing but grey"
    yield "pixel.png", encode(".png", flat[:1, :1]), "no_face", "one pixel"
    yield "line.png", encode(".png", flat[:1]), "no_face", "one row"


def special_files(folder, base):
    """Things in the folder that are no regular files; makes them and yields name, outcome, note."""
    def at(name):
        return os.path.join(folder, name)

    os.symlink(b"nowhere.jpg", at(b"dangling.jpg"))
    yield b"dangling.jpg", "unreadable", "a link to nothing"
    os.symlink(b"loop_b.jpg", at(b"loop_a.jpg"))
    os.symlink(b"loop_a.jpg", at(b"loop_b.jpg"))
    yield b"loop_a.jpg", "unreadable", "a link to a link to itself"
    yield b"loop_b.jpg", "unreadable", "the other half of the loop"
    os.symlink(b"/dev/zero", at(b"zero.jpg"))
    yield b"zero.jpg", "not_a_file", "a link to a device that never ends"
    os.mkfifo(at(b"pipe.jpg"))
    yield b"pipe.jpg", "not_a_file", "a pipe that nobody writes to"
    os.mkdir(at(b"folder.jpg"))
    yield b"folder.jpg", "not_a_file", "a folder with the name of a picture"
    with open(at(b"locked.jpg"), "wb") as file:
        file.write(base)
    os.chmod(at(b"locked.jpg"), 0)
    if os.access(at(b"locked.jpg"), os.R_OK):
        os.remove(at(b"locked.jpg"))
        print("corpus: no unreadable file: this user may read everything", file=sys.stderr)
    else:
        yield b"locked.jpg", "unreadable", "no permission"


def odd_names(face):
    """Good pictures whose names are hard."""
    yield b"line\nbreak.jpg", "a line break"
    yield b"not utf-8 \xff\xfe\xc3.jpg", "bytes that are not UTF-8"
    yield b"-rf.jpg", "like an option"
    yield b" blank .jpg", "blanks around"
    yield "früh 日本 \U0001f600.jpg".encode(), "UTF-8"
    yield b"quote'\"`$(id);&|<>*?.jpg", "what shells and HTML stumble over"
    yield b"\x1b[31mred\x07.jpg", "control bytes"
    yield b"%s%n%d.jpg", "like a format"
    yield b"n" * 251 + b".jpg", "as long as a name can be"
    yield b"a...jpg", "dots"


def write(folder, picture):
    face = cv2.imread(picture)
    if face is None:
        raise SystemExit("%s: not a picture" % picture)
    root, base, cases = os.fsencode(folder), jpeg(face), []

    def put(identity, name, data, outcome, note):
        os.makedirs(os.path.join(root, identity), exist_ok=True)
        with open(os.path.join(root, identity, name), "wb") as file:
            file.write(data)
        cases.append(Case(identity + b"/" + name, outcome, note))

    for name, data, note in good_files(face):
        put(b"unusual", name.encode(), data, "delivered", note)
    for name, data, reason, note in bad_files(face):
        put(b"bad", name.encode(), data, reason, note)
    for name, note in odd_names(face):
        put(b"names", name, base, "delivered", note)
    put(b"alone", b"only.jpg", base, "delivered", "an identity of one picture")
    put(b"identity\n\xff.jpg", b"a.jpg", base, "delivered", "an identity whose name is hard")
    os.makedirs(os.path.join(root, b"special"))
    for name, outcome, note in special_files(os.path.join(root, b"special"), base):
        cases.append(Case(b"special/" + name, outcome, note))
    os.symlink(b"../alone/only.jpg", os.path.join(root, b"special", b"link.jpg"))
    cases.append(Case(b"special/link.jpg", "delivered", "a link to a good picture"))
    os.makedirs(os.path.join(root, b"nobody"))
    cases.append(Case(b"nobody", None, "an identity without pictures"))
    return cases


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: corpus.py FOLDER PICTURE")
    for case in write(sys.argv[1], sys.argv[2]):
        print("%-14s %-48s %s" % (case.outcome, ascii(case.path)[2:-1], case.note))
