#![allow(unsafe_code)] // writes several pieces into room that is asked for once
//! Headers, lines and strings as they go over the wire.
//!
//! A reply of many short strings is mostly headers; asking for room before each piece, and making each from its digits,
//! would take more time than the strings do.

/// Room for a header: a kind, 20 digits, CR LF, and what the last piece of a table's row may spill.
const HEADER: usize = 24;

/// Numbers below 100 with CR LF, and how many bytes that is.
const SMALL: [([u8; 4], u8); 100] = small();

const fn small() -> [([u8; 4], u8); 100] {
    let mut rows = [([0; 4], 0); 100];
    let mut n = 0;
    while n < 100 {
        let (tens, ones) = (b'0' + n as u8 / 10, b'0' + n as u8 % 10);
        rows[n] = if n < 10 { ([ones, b'\r', b'\n', 0], 3) } else { ([tens, ones, b'\r', b'\n'], 4) };
        n += 1;
    }
    rows
}

/// `$<length>\r\n<bytes>\r\n`
#[inline]
pub(super) fn bulk(buf: &mut Vec<u8>, bytes: &[u8]) {
    let Some((digits, len)) = SMALL.get(bytes.len()) else { return long_bulk(buf, bytes) };
    buf.reserve(HEADER + bytes.len() + 2);
    let (end, head) = (buf.len(), 1 + usize::from(*len));
    // SAFETY: a kind, four bytes, `bytes` and two more fit into what was reserved, which `bytes` is no part of; all of
    // the new length is written.
    unsafe {
        let at = buf.as_mut_ptr().add(end);
        at.write(b'$');
        at.add(1).cast::<[u8; 4]>().write_unaligned(*digits);
        at.add(head).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        at.add(head + bytes.len()).cast::<[u8; 2]>().write_unaligned(*b"\r\n");
        buf.set_len(end + head + bytes.len() + 2);
    }
}

/// `*<n>\r\n` and the words: a request, as clients send it and as append logs have it.
#[inline]
pub fn request<'w>(buf: &mut Vec<u8>, words: impl ExactSizeIterator<Item = &'w [u8]>) {
    header(buf, b'*', words.len());
    words.for_each(|word| bulk(buf, word));
}

#[inline(never)]
fn long_bulk(buf: &mut Vec<u8>, bytes: &[u8]) {
    buf.reserve(HEADER + bytes.len() + 2);
    header(buf, b'$', bytes.len());
    buf.extend_from_slice(bytes);
    buf.extend_from_slice(b"\r\n");
}

/// `<kind><n>\r\n`
#[inline]
pub(super) fn header(buf: &mut Vec<u8>, kind: u8, n: usize) {
    let Some((digits, len)) = SMALL.get(n) else { return long_header(buf, kind, n) };
    buf.reserve(HEADER);
    let end = buf.len();
    // SAFETY: five bytes fit into HEADER, and all of the new length, which is at most five more, is written.
    unsafe {
        let at = buf.as_mut_ptr().add(end);
        at.write(kind);
        at.add(1).cast::<[u8; 4]>().write_unaligned(*digits);
        buf.set_len(end + 1 + usize::from(*len));
    }
}

#[inline(never)]
fn long_header(buf: &mut Vec<u8>, kind: u8, n: usize) {
    line(buf, kind, itoa::Buffer::new().format(n).as_bytes());
}

/// `<kind><text>\r\n`
#[inline]
pub(super) fn line(buf: &mut Vec<u8>, kind: u8, text: &[u8]) {
    buf.reserve(text.len() + 3);
    buf.push(kind);
    buf.extend_from_slice(text);
    buf.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_every_length_wherever_the_buffer_ends() {
        for len in (0..300).chain([9_999, 100_000]) {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            for room in [0, 1, 5, 23, 24, 25, len + 26] {
                let mut buf = Vec::with_capacity(room);
                bulk(&mut buf, &bytes);
                let mut expected = format!("${len}\r\n").into_bytes();
                expected.extend_from_slice(&bytes);
                expected.extend_from_slice(b"\r\n");
                assert_eq!(buf, expected);
            }
            let mut buf = b"before".to_vec();
            header(&mut buf, b'*', len);
            assert_eq!(buf, format!("before*{len}\r\n").as_bytes());
        }
    }
}
