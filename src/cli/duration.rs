//! Spans of time as people write them: `90s`, `30m`, `1h`, `2d`, `250ms`.
//!
//! Must not know what they are for.

/// A span in milliseconds.
pub(super) fn parse_ms(text: &str) -> Result<i64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let unit_ms: i64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return Err("write a whole number and a unit: 250ms, 90s, 30m, 1h or 2d".to_owned()),
    };
    let number: i64 = number
        .parse()
        .map_err(|_| "write a whole number before the unit, such as 30m".to_owned())?;
    number.checked_mul(unit_ms).ok_or_else(|| "that is longer than time can be counted".to_owned())
}
