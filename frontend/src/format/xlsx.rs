//! A table as a workbook: the smallest one that spreadsheets open. Texts are inline strings, so none is a formula.

use serde_json::Value;

use super::sheet::Sheet;

/// The longest text of a cell that spreadsheets accept.
const LONGEST: usize = 32_767;

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const ROOT: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Table" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const PARTS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

/// The workbook's bytes.
pub fn workbook(sheet: &Sheet) -> Vec<u8> {
    archive(&[
        ("[Content_Types].xml", TYPES.to_owned()),
        ("_rels/.rels", ROOT.to_owned()),
        ("xl/workbook.xml", BOOK.to_owned()),
        ("xl/_rels/workbook.xml.rels", PARTS.to_owned()),
        ("xl/worksheets/sheet1.xml", worksheet(sheet)),
    ])
}

fn worksheet(sheet: &Sheet) -> String {
    let mut xml = String::from(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#,
    );
    xml.push_str("<row>");
    sheet.head.iter().for_each(|name| xml.push_str(&text(name)));
    xml.push_str("</row>");
    for row in &sheet.rows {
        xml.push_str("<row>");
        row.iter().for_each(|value| xml.push_str(&cell(value)));
        xml.push_str("</row>");
    }
    xml.push_str("</sheetData></worksheet>");
    xml
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "<c/>".to_owned(),
        Value::Bool(on) => format!(r#"<c t="b"><v>{}</v></c>"#, u8::from(*on)),
        Value::Number(number) => format!("<c><v>{number}</v></c>"),
        Value::String(own) => text(own),
        other => text(&other.to_string()),
    }
}

fn text(own: &str) -> String {
    let mut escaped = String::with_capacity(own.len());
    for character in own.chars().take(LONGEST) {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            // XML 1.0 has no other control characters, nor these two.
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    format!(r#"<c t="inlineStr"><is><t xml:space="preserve">{escaped}</t></is></c>"#)
}

/// A ZIP archive of files that are stored as they are.
fn archive(files: &[(&str, String)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let offset = out.len() as u32;
        let (size, sum) = (content.len() as u32, checksum(content.as_bytes()));
        // Version, flags (names are UTF-8), stored, no time, 1 January 1980.
        let mut common = Vec::new();
        for word in [20_u16, 0x0800, 0, 0, 0x21] {
            common.extend(word.to_le_bytes());
        }
        for long in [sum, size, size] {
            common.extend(long.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(content.as_bytes());
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        // No comment, first disk, no attributes.
        directory.extend([0_u8; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    for count in [files.len() as u16; 2] {
        out.extend(count.to_le_bytes());
    }
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    out
}

/// CRC-32 as ZIP wants it.
fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 {
                (sum >> 1) ^ 0xedb8_8320
            } else {
                sum >> 1
            };
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_checksum_is_that_of_zip() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn texts_are_texts_and_numbers_numbers() {
        assert_eq!(cell(&json!(-0.5)), "<c><v>-0.5</v></c>");
        assert_eq!(cell(&json!(true)), r#"<c t="b"><v>1</v></c>"#);
        assert!(cell(&json!("=1+<1>&\u{1}")).contains("=1+&lt;1&gt;&amp;\u{fffd}</t>"));
        assert_eq!(cell(&Value::Null), "<c/>");
    }

    #[test]
    fn the_archive_lists_its_five_files() {
        let mut sheet = Sheet::new(["a"]);
        sheet.rows.push(vec![json!("=x")]);
        let bytes = workbook(&sheet);
        assert_eq!(&bytes[..4], b"PK\x03\x04");
        let end = &bytes[bytes.len() - 22..];
        assert_eq!((&end[..4], end[10]), (&b"PK\x05\x06"[..], 5));
        let start = u32::from_le_bytes([end[16], end[17], end[18], end[19]]) as usize;
        assert_eq!(&bytes[start..start + 4], b"PK\x01\x02");
    }
}
