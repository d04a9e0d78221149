//! QR codes as images in the page itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcode::{Color, QrCode};

/// Empty modules on each side, as the standard requires.
const QUIET_ZONE: usize = 4;

/// A `data:` URL of an SVG with the QR code of `text`. `None` if the text is too long for one.
pub(super) fn data_url(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run.first() == Some(&Color::Dark) {
                path += &format!("M{} {}h{}v1h-{}z", x + QUIET_ZONE, y + QUIET_ZONE, run.len(), run.len());
            }
            x += run.len();
        }
    }
    let side = width + 2 * QUIET_ZONE;
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>"##
    );
    Some(format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dark modules of a path.
    fn drawn(svg: &str) -> Vec<(usize, usize)> {
        let path = svg.rsplit_once(" d=\"M").unwrap().1.split_once('"').unwrap().0;
        let run = |run: &str| {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (length, back) = rest.split_once("v1h-").unwrap();
            assert_eq!(back.trim_end_matches('z'), length);
            let [x, y, length] = [x, y, length].map(|number| number.parse::<usize>().unwrap());
            (x..x + length).map(move |x| (x, y))
        };
        path.split('M').flat_map(run).collect()
    }

    #[test]
    fn the_picture_has_the_dark_modules_of_the_code_and_no_others() {
        let text = "https://auth.example.com/authorize/k3Jx0Zq9T1uV5wYb7cD2eA";
        let url = data_url(text).unwrap();
        let svg = STANDARD.decode(url.strip_prefix("data:image/svg+xml;base64,").unwrap()).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        let code = QrCode::new(text).unwrap();
        let dark = |at: usize| code[(at % code.width(), at / code.width())] == Color::Dark;
        let expected: Vec<_> = (0..code.width() * code.width())
            .filter(|at| dark(*at))
            .map(|at| (at % code.width() + QUIET_ZONE, at / code.width() + QUIET_ZONE))
            .collect();
        assert_eq!(drawn(&svg), expected);
        assert!(svg.contains(&format!("viewBox=\"0 0 {0} {0}\"", code.width() + 8)));
    }

    #[test]
    fn a_text_that_fits_into_no_code_has_no_picture() {
        assert_eq!(data_url(&"a".repeat(4000)), None);
    }
}
