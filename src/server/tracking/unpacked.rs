//! Bodies that clients may have packed with gzip.
//!
//! Must not know any system. Nothing is unpacked beyond the limit, however little was sent for it; what is refused
//! is read to its end, so that its sender hears of it.

use std::io::Read as _;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, Request, StatusCode};
use flate2::bufread::MultiGzDecoder;

use crate::server::body::{Sent, to_its_end, too_large};
use crate::server::refusal::Refusal;

/// A whole body without its packing, which is no larger than this with it or without.
pub(super) async fn unpacked(request: Request<Body>, most_bytes: u64) -> Result<Bytes, Refusal> {
    let (head, body) = request.into_parts();
    let Sent::Whole(sent) = to_its_end(body, most_bytes).await? else {
        return Err(too_large(most_bytes));
    };
    if !is_packed(&head.headers)? {
        return Ok(sent);
    }
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(&*sent).take(most_bytes.saturating_add(1));
    { read }.read_to_end(&mut unpacked).map_err(|_| {
        Refusal::bad_request("the body is no gzip: send it as its Content-Encoding says")
    })?;
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

/// Whether a body is said to be packed with gzip, which is the only way.
fn is_packed(headers: &HeaderMap) -> Result<bool, Refusal> {
    let Some(packing) = headers.get(CONTENT_ENCODING) else { return Ok(false) };
    let is = |names: &[&str]| {
        names.iter().any(|name| packing.as_bytes().eq_ignore_ascii_case(name.as_bytes()))
    };
    match (is(&["", "identity"]), is(&["gzip", "x-gzip"])) {
        (true, _) => Ok(false),
        (_, true) => Ok(true),
        _ => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is packed in an unknown way: send it with gzip, or as it is",
        )),
    }
}

#[cfg(test)]
mod tests {
    //! What is unpacked, and what is not.

    use std::io::Write as _;

    use axum::body::Body;
    use axum::http::Request;
    use axum::http::header::CONTENT_ENCODING;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::unpacked;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// The body, or the status that it is refused with.
    fn check(packing: &str, body: Vec<u8>, expect: Result<&[u8], u16>) {
        let request = Request::new(Body::from(body));
        let (mut parts, body) = request.into_parts();
        if !packing.is_empty() {
            parts.headers.insert(CONTENT_ENCODING, packing.parse().unwrap());
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
        check("br", packed(b"text"), Err(415));
    }
}
