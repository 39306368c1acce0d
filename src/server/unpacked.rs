//! Bodies that clients may have packed.
//!
//! Must not know what is in them. Nothing is unpacked beyond the limit, however little was sent for it.

use std::io::Read;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, Request, StatusCode};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::body::whole;
use super::refusal::Refusal;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip,
    Deflate,
}

/// A whole body without its packing, which is no larger than this with it or without.
pub(super) async fn unpacked(request: Request<Body>, most_bytes: u64) -> Result<Bytes, Refusal> {
    let (head, body) = request.into_parts();
    unpack(&head.headers, whole(body, most_bytes).await?, most_bytes)
}

/// What was sent whole, without its packing; an empty body has none, whatever is said of it.
pub(super) fn unpack(headers: &HeaderMap, sent: Bytes, most_bytes: u64) -> Result<Bytes, Refusal> {
    if sent.is_empty() {
        return Ok(sent);
    }
    let Some(packing) = packing(headers)? else { return Ok(sent) };
    let mut unpacked = Vec::new();
    let read = packing.reader(&sent).take(most_bytes.saturating_add(1)).read_to_end(&mut unpacked);
    read.map_err(|_| Refusal::bad_request(packing.is_not()))?;
    if u64::try_from(unpacked.len()).is_ok_and(|bytes| bytes > most_bytes) {
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "the body is larger than {most_bytes} bytes when it is unpacked: send less at once"
            ),
        ));
    }
    Ok(unpacked.into())
}

/// How a body is said to be packed.
fn packing(headers: &HeaderMap) -> Result<Option<Packing>, Refusal> {
    let mut said = headers.get_all(CONTENT_ENCODING).iter();
    let Some(name) = said.next() else { return Ok(None) };
    let is = |names: &[&str]| {
        names.iter().any(|one| name.as_bytes().eq_ignore_ascii_case(one.as_bytes()))
    };
    match said.next() {
        None if is(&["", "identity"]) => Ok(None),
        None if is(&["gzip", "x-gzip"]) => Ok(Some(Packing::Gzip)),
        None if is(&["deflate"]) => Ok(Some(Packing::Deflate)),
        _ => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is packed in an unknown way: send it with gzip or deflate, or as it is",
        )),
    }
}

impl Packing {
    fn reader(self, sent: &[u8]) -> Box<dyn Read + '_> {
        match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(sent)),
            Self::Deflate if is_zlib(sent) => Box::new(ZlibDecoder::new(sent)),
            Self::Deflate => Box::new(DeflateDecoder::new(sent)),
        }
    }

    const fn is_not(self) -> &'static str {
        match self {
            Self::Gzip => "the body is no gzip: send it as its Content-Encoding says",
            Self::Deflate => "the body is no deflate: send it as its Content-Encoding says",
        }
    }
}

/// Whether it begins as zlib does, which `deflate` means by the standard; some clients send it bare.
fn is_zlib(sent: &[u8]) -> bool {
    matches!(sent, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

#[cfg(test)]
mod tests {
    //! What is unpacked, and what is not.

    use std::io::Write as _;

    use axum::body::Body;
    use axum::http::Request;
    use axum::http::header::CONTENT_ENCODING;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::unpacked;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bare(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// The body, or the status that it is refused with.
    fn check(packing: &str, body: Vec<u8>, expect: Result<&[u8], u16>) {
        let request = Request::new(Body::from(body));
        let (mut parts, body) = request.into_parts();
        for packing in packing.split('+').filter(|packing| !packing.is_empty()) {
            parts.headers.append(CONTENT_ENCODING, packing.parse().unwrap());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(unpacked(Request::from_parts(parts, body), 1000));
        let read = read.map_err(|refusal| refusal.into_parts().0.as_u16());
        assert_eq!(read.as_deref(), expect.as_deref(), "{packing}");
    }

    #[test]
    fn bodies_are_unpacked_up_to_the_limit() {
        let (most, more) = ([b'x'; 1000], [b'x'; 1001]);
        check("", b"plain".to_vec(), Ok(b"plain"));
        check("Identity", b"plain".to_vec(), Ok(b"plain"));
        check("GZIP", packed(b"text"), Ok(b"text"));
        check("gzip", [packed(b"a"), packed(b"b")].concat(), Ok(b"ab"));
        check("gzip", packed(&most), Ok(&most));
        check("gzip", packed(&more), Err(413));
        check("", more.to_vec(), Err(413));
        check("gzip", b"plain".to_vec(), Err(400));
        check("gzip", packed(&most)[..12].to_vec(), Err(400));
        check("gzip", Vec::new(), Ok(b""));
        check("br", Vec::new(), Ok(b""));
        check("deflate", zlib(b"text"), Ok(b"text"));
        check("Deflate", bare(b"text"), Ok(b"text"));
        check("deflate", zlib(&most), Ok(&most));
        check("deflate", zlib(&more), Err(413));
        check("deflate", bare(&more), Err(413));
        check("deflate", b"\xff\xffplain".to_vec(), Err(400));
        check("deflate", zlib(&most)[..12].to_vec(), Err(400));
        check("br", packed(b"text"), Err(415));
        check("gzip, gzip", packed(&packed(b"text")), Err(415));
        check("gzip+br", packed(b"text"), Err(415));
    }
}
