//! Packed uploads: what other programs pack is read, and nothing damaged passes for something else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec;
use proptest::prelude::*;
use punch_protocol::push::{Package, PackageError, PackageLimits, Row, Rows};

const ROWS: &[u8] = b"1042\t2026-03-28 08:47:12\t0\t1\t\t0\t0\n";

type Files = Vec<(String, Vec<u8>)>;

fn open(body: &[u8]) -> Result<Files, PackageError> {
    open_within(body, PackageLimits::default())
}

fn open_within(body: &[u8], limits: PackageLimits) -> Result<Files, PackageError> {
    let package = Package::open(body, &limits)?;
    Ok(package.entries().map(|entry| (entry.name().to_owned(), entry.bytes().to_vec())).collect())
}

/// The CRC-32 of gzip, written apart from the one under test.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    let table: Vec<u32> = (0..256).map(|byte| (0..8).fold(byte, bit)).collect();
    !bytes.iter().fold(u32::MAX, |crc, byte| (crc >> 8) ^ table[usize::from(crc.to_le_bytes()[0] ^ byte)])
}

fn gzip_with(header: &[u8], content: &[u8], level: u8) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap();
    let trailer = [crc32(content).to_le_bytes(), len.to_le_bytes()].concat();
    [header, &compress_to_vec(content, level), &trailer].concat()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    gzip_with(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], content, 6)
}

/// A header of the given kind, and what follows it in whole blocks.
fn tar_entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..124].copy_from_slice(b"0000644\x000000000\x000000000\0");
    block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    block[136..148].copy_from_slice(b"00000000000\0");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    block.extend_from_slice(content);
    block.resize(block.len().next_multiple_of(512), 0);
    with_checksum(block)
}

fn with_checksum(mut block: Vec<u8>) -> Vec<u8> {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive: Vec<u8> = entries.iter().flat_map(|(name, content)| tar_entry(name, b'0', content)).collect();
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn in_header(packed: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(packed);
    let head = format!("name=transaction.tgz\nsize={}\ndatacode=base64\ndatatype=tgz\0", text.len());
    [head.into_bytes(), text.into_bytes()].concat()
}

fn one_file() -> Files {
    vec![("attlog.txt".to_owned(), ROWS.to_vec())]
}

#[test]
fn a_packed_upload_reads_as_rows() {
    let packed = gzip(&tar(&[("attlog.txt", ROWS)]));
    for body in [packed.clone(), in_header(&packed)] {
        let package = Package::open(&body, &PackageLimits::default()).unwrap();
        let entries: Vec<_> = package.entries().collect();
        let [entry] = entries.as_slice() else { panic!("{entries:?}") };
        let rows: Vec<_> = Rows::of("ATTLOG", entry.bytes()).collect();
        assert!(matches!(rows.as_slice(), [Ok(Row::Punch(row))] if row.pin().to_text() == "1042"));
        assert_eq!(
            format!("{package:?} {:?}", entry),
            "[Entry(34 bytes)] Entry(34 bytes)",
            "neither name nor contents"
        );
    }
}

/// X11: the vendor's example is a gzip of nothing that leaves the data out.
#[test]
fn an_empty_package_has_no_files() {
    let published = STANDARD.decode("H4sIAAAAAAAAAwAAAAAAAAAA").unwrap();
    assert_eq!(open(&published), Ok(Vec::new()));
    assert!(open(&[&published[..], &[0]].concat()).is_err(), "zeros in place of data are damage");
    assert!(open(&published[..17]).is_err());
    assert_eq!(open(&gzip(b"")), Ok(Vec::new()));
    assert_eq!(open(&gzip(&[0; 1024])), Ok(Vec::new()));
    assert_eq!(open(&gzip(&tar(&[("empty", b"")]))), Ok(vec![("empty".to_owned(), Vec::new())]));
}

/// Made by Python 3 (`tarfile` and `gzip`, with a file name in the header) in three formats, and by GNU tar 1.34
/// in the oldest one. Each but the last has a folder first and a name longer than the 100 bytes of its field.
#[test]
fn archives_of_other_programs_read() {
    let long = format!("{}/{}.txt", "d".repeat(90), "n".repeat(30));
    // What describes a long or accented name in these formats is not read; the header has its own.
    let cut = &long[..100];
    for (packed, names) in
        [(USTAR, [long.as_str(), "data/b.txt"]), (GNU, [cut, "data/b.txt"]), (PAX, ["jos?.txt", cut])]
    {
        let files = open(&STANDARD.decode(packed).unwrap()).unwrap();
        assert!(files.iter().all(|(_, content)| content == ROWS));
        assert_eq!(files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    }
    assert_eq!(open(&STANDARD.decode(V7).unwrap()), Ok(one_file()));
}

const USTAR: &str = "H4sICIGHx2kC/3B1bmNoZXMudGFyAO3UQQ7CIBCFYbZ4Ci5QnVIYmt6mpmsXionHF91p1BU1Qf9vwbCD8PJY5jzvzLqkSDHeZ/\
    E8X+xVoxoXzRecT3k+liPNfzp8tM2XXCd/DeF9/sE/5j9oTNE4aTn/ZTVVr9mXx7devHYydH50Mk4hTb23YntbFtkY/LDl9v/v6/S8Wv8l6RAa738j6D8A\
    AAAAAAAAAAAAAO27Ah9lTWEAKAAA";
const GNU: &str = "H4sICIGHx2kC/3B1bmNoZXMudGFyAO3WMQrCMBiG4azxFLlA2yRNk9LJA/QSlYKIUEEreHxTB8FShQ5x0PcZksz5+H7+vhu7QqSlo1BVjz\
    ua3wtv740XqhJfcL2M3Vkp8afyIi+27WnYt4fhmDD/hdyfmZvgZ/mH4I1QLfkn1ydTDB/l420U+If8p1J7597Pf2df+1+aMmihNP1PzsTPl1Zbn+kys7XS\
    deNCY6zU0sh46A0d+en+T/vfLu0wXt3/uC0GR//pPwAAAAAAAAAAAIA17i9Ld2sAKAAA";
const PAX: &str = "H4sICIGHx2kC/3B1bmNoZXMudGFyAO3WPwrCMBgF8Kz1FLmA7Zf/pSA6OnqFQAVxUGkj9Eqew4sZdRCLCgqpQ99vSLoV8vjyUvvgC5YWRc\
    6Y2x719xff1hrLuGEDOLbBN/GXbJzyIi8WK98t175eN+nyf5H7I3Mpn/MXJMkx3iH/5ETJDz5sZtt9ez7loQsTBiMSc59fY099/1ut38+/7s0/OeU044T5\
    Tz//8fAzSdJOSU1lyamstKuEzCgTWVwI9wH6P3H/X8u+3/9Co/8HmX9l7g+AOpli9xEeHf80ROxf978SWhH6H/0PAAAAAAAAAAAAAAC/uAD/4y/aACgAAA\
    ==";
const V7: &str = "H4sIAAAAAAAAA+3QMQqAMAyFYdd6il5ASWO1pbdxchFcOnh8i4tQXIsI/zfkhUxJ1pz3YxvzmbtmpFi8v7OoU8Tr09/zEKa5s+02aqA+7idceb5\
    R0WWQadBoJSYfklMjxplSpP96QwAAAAAAAAAAAAAAAADAmwvQA4umACgAAA==";

#[test]
fn every_truncation_is_an_error() {
    let packed = gzip(&tar(&[("attlog.txt", ROWS)]));
    for len in 0..packed.len() {
        let error = open(&packed[..len]).unwrap_err();
        assert_eq!(error, if len < 2 { PackageError::NotPacked } else { PackageError::Truncated }, "{len}");
    }
    let body = in_header(&packed);
    let digits = body.iter().rposition(|byte| *byte != b'=').unwrap() + 1;
    for len in 0..digits {
        assert!(open(&body[..len]).is_err(), "{len}");
    }
    // Padding says nothing.
    assert_eq!(open(&body[..digits]), Ok(one_file()));
}

/// What the checksums do not cover says nothing about rows: time, system and level of the packing program, and the
/// bits that fill the last byte of its data.
#[test]
fn no_flipped_bit_passes_for_other_rows() {
    let packed = gzip(&tar(&[("attlog.txt", ROWS)]));
    let (mut refused, mut harmless) = (0, 0);
    for body in [packed.clone(), in_header(&packed)] {
        for bit in 0..body.len() * 8 {
            let mut flipped = body.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match open(&flipped) {
                Ok(files) => {
                    assert_eq!(files, one_file(), "byte {} of {}", bit / 8, body.len());
                    let covered = !(3..10).contains(&(bit / 8)) && bit / 8 != packed.len() - 9;
                    assert!(body.len() > packed.len() || !covered, "byte {} of {}", bit / 8, body.len());
                    harmless += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1500 && harmless > 50, "{refused} refused, {harmless} harmless");
}

/// The archive's own sums, for what was damaged before it was packed.
#[test]
fn no_flipped_bit_of_a_tar_header_passes() {
    let archive = tar(&[("attlog.txt", ROWS)]);
    let mut refused = 0;
    for bit in (0..512 * 8).chain(1024 * 8..1024 * 8 + 400) {
        let mut flipped = archive.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match open(&gzip_with(&gzip(b"")[..10], &flipped, 0)) {
            Ok(files) => assert!(files == one_file() && (148..156).contains(&(bit / 8)), "byte {}", bit / 8),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 4400, "{refused}");
}

#[test]
fn damage_is_named() {
    let packed = gzip(&tar(&[("attlog.txt", ROWS)]));
    let with = |at: usize, byte: u8| [&packed[..at], &[byte], &packed[at + 1..]].concat();
    assert_eq!(open(b""), Err(PackageError::NotPacked));
    assert_eq!(open(ROWS), Err(PackageError::NotPacked));
    assert_eq!(open(b"name=a\nsize=1\0x"), Err(PackageError::NotPacked));
    assert_eq!(open(b"name=a\ndatacode=base64\ndatatype=zip\0x"), Err(PackageError::UnknownCoding));
    assert_eq!(open(b"name=a\ndatacode=hex\ndatatype=tgz\0x"), Err(PackageError::UnknownCoding));
    assert_eq!(open(b"datacode=base64\ndatatype=tgz\0a*b"), Err(PackageError::BadBase64));
    assert_eq!(open(b"datacode=base64\ndatatype=tgz\0QUJD"), Err(PackageError::Truncated));
    assert_eq!(open(&with(2, 7)), Err(PackageError::BadHeader));
    assert_eq!(open(&with(3, 0x20)), Err(PackageError::BadHeader));
    assert_eq!(open(&with(10, 7)), Err(PackageError::BadData), "a block type that does not exist");
    for at in [packed.len() - 8, packed.len() - 1] {
        assert_eq!(open(&with(at, packed[at] ^ 1)), Err(PackageError::BadChecksum));
    }
    assert_eq!(open(&[&packed[..], b"rows"].concat()), Err(PackageError::BehindEnd { len: 4 }));
    assert_eq!(open(&gzip(ROWS)), Err(PackageError::EntryBeyondEnd { entry: 1 }), "text where an archive belongs");
    assert_eq!(open(&gzip(&[b'x'; 512])), Err(PackageError::BadEntry { entry: 1 }));
    let second_lost = [tar_entry("a", b'0', ROWS), vec![0; 512], tar_entry("b", b'0', ROWS)].concat();
    assert_eq!(open(&gzip(&second_lost)), Err(PackageError::BehindEnd { len: 1024 }));
}

#[test]
fn an_entry_ends_within_the_archive() {
    let content = vec![b'x'; 1000];
    let archive = [tar_entry("a", b'0', b"1"), tar_entry("b", b'0', &content)].concat();
    let whole = 1024 + 512 + content.len();
    assert_eq!(open(&gzip(&archive[..whole])).unwrap().len(), 2, "the last padding may be missing");
    for len in [whole - 1, 1024 + 512, 1024 + 511, 1024 + 1] {
        assert_eq!(open(&gzip(&archive[..len])), Err(PackageError::EntryBeyondEnd { entry: 2 }), "{len}");
    }
    for size in ["7777777777777", "00000000008", "+0000000001", "1 1", "\u{7f}", "-1"] {
        let mut block = tar_entry("a", b'0', b"");
        block[124..136].fill(0);
        let field = &size.as_bytes()[..size.len().min(12)];
        block[124..124 + field.len()].copy_from_slice(field);
        let error = open(&gzip(&with_checksum(block))).unwrap_err();
        assert!(
            matches!(error, PackageError::BadEntry { entry: 1 } | PackageError::EntryBeyondEnd { entry: 1 }),
            "{size}"
        );
    }
    let mut binary = tar_entry("a", b'0', b"");
    binary[124] = 0x80;
    assert_eq!(open(&gzip(&with_checksum(binary))), Err(PackageError::BadEntry { entry: 1 }), "a size in base 256");
}

#[test]
fn only_files_are_entries() {
    let kinds = *b"0\x007Zxg1LK2a3456";
    let archive: Vec<u8> = kinds
        .iter()
        .flat_map(|kind| {
            let content: &[u8] = if (b'1'..=b'6').contains(kind) { b"" } else { ROWS };
            tar_entry(&format!("kind-{kind}"), *kind, content)
        })
        .collect();
    let names: Vec<String> = open(&gzip(&archive)).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["kind-48", "kind-0", "kind-55", "kind-90", "kind-97"]);
    // A name is a text, whatever it looks like.
    let names = open(&gzip(&tar(&[("../../etc/passwd", b""), ("/dev/null", b"")]))).unwrap();
    assert_eq!(names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["../../etc/passwd", "/dev/null"]);
}

#[test]
fn limits_hold_at_their_edge() {
    let archive = tar(&[("a", ROWS), ("b", ROWS), ("c", ROWS)]);
    let packed = gzip(&archive);
    let limits = PackageLimits { unpacked: archive.len(), entries: 3 };
    assert_eq!(open_within(&packed, limits).map(|files| files.len()), Ok(3));
    let smaller = PackageLimits { unpacked: archive.len() - 1, ..limits };
    assert_eq!(open_within(&packed, smaller), Err(PackageError::TooLarge { limit: archive.len() - 1 }));
    let fewer = PackageLimits { entries: 2, ..limits };
    assert_eq!(open_within(&packed, fewer), Err(PackageError::TooManyEntries { limit: 2 }));
    let mut bomb = gzip(b"")[..10].to_vec();
    bomb.extend(compress_to_vec(&vec![0; (16 << 20) + 1], 6));
    assert!(bomb.len() < 20_000);
    assert_eq!(open(&bomb), Err(PackageError::TooLarge { limit: 16 << 20 }));
}

/// Members follow each other, as `cat a.gz b.gz` makes them; the limit is for all of them.
#[test]
fn members_of_a_gzip_are_one_archive() {
    let archive = tar(&[("a", ROWS), ("attlog.txt", ROWS)]);
    let packed = [gzip(&archive[..700]), gzip(b""), gzip(&archive[700..])].concat();
    assert_eq!(open(&packed).unwrap().len(), 2);
    assert_eq!(open(&[&packed[..], b"\0\0\r\n"].concat()).unwrap().len(), 2, "padding");
    assert_eq!(open(&packed[..packed.len() - 1]), Err(PackageError::Truncated));
    let limits = PackageLimits { unpacked: archive.len() - 1, ..PackageLimits::default() };
    assert_eq!(open_within(&packed, limits), Err(PackageError::TooLarge { limit: archive.len() - 1 }));
}

#[test]
fn optional_fields_of_a_gzip_header_are_passed_over() {
    let archive = tar(&[("attlog.txt", ROWS)]);
    let fields: [&[u8]; 3] = [b"\x03\0abc", b"attlog.tar\0", b"a comment\0"];
    let mut header = vec![0x1f, 0x8b, 8, 0b1_1110, 0, 0, 0, 0, 0, 3];
    fields.iter().for_each(|field| header.extend_from_slice(field));
    let [low, high, ..] = crc32(&header).to_le_bytes();
    let packed = gzip_with(&[&header[..], &[low, high]].concat(), &archive, 9);
    assert_eq!(open(&packed), Ok(one_file()));
    let wrong = gzip_with(&[&header[..], &[low ^ 1, high]].concat(), &archive, 9);
    assert_eq!(open(&wrong), Err(PackageError::BadHeader));
    for len in 10..header.len() + 2 {
        assert_eq!(open(&packed[..len]), Err(PackageError::Truncated), "{len}");
    }
}

#[test]
fn a_header_may_be_written_in_other_ways() {
    let packed = gzip(&tar(&[("attlog.txt", ROWS)]));
    let text = STANDARD.encode(&packed);
    let (first, second) = text.split_at(76);
    let wrapped = format!("DataType=TGZ\r\nDataCode=BASE64\r\n\0{first}\r\n{second}\r\n");
    assert_eq!(open(wrapped.as_bytes()), Ok(one_file()));
    let raw = [b"name=a\ndatatype=tgz\0", &packed[..]].concat();
    assert_eq!(open(&raw), Ok(one_file()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Sizes around the window of the unpacker, compressible or not.
    #[test]
    fn whatever_is_packed_is_unpacked(
        seed: u32, len in prop_oneof![0_usize..2000, 32_000_usize..33_500, 65_000_usize..66_500], level in 0_u8..=9, spread in 1_u32..=256,
    ) {
        let mut state = seed;
        let mut next = |_| { state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); ((state >> 24) % spread) as u8 };
        let content: Vec<u8> = (0..len).map(&mut next).collect();
        let archive = tar(&[("a", &content), ("attlog.txt", ROWS)]);
        let packed = gzip_with(&gzip(b"")[..10], &archive, level);
        let files = open(&packed).unwrap();
        prop_assert_eq!(&files[0].1, &content);
        prop_assert_eq!(&files[1..], one_file());
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, tail: Vec<u8>) {
        let damaged = [&gzip(b"")[..10], &bytes].concat();
        let no_archive = gzip(&bytes);
        let no_second = gzip(&[&tar_entry("a", b'0', ROWS), &bytes[..]].concat());
        let headed = [&b"datatype=tgz\0"[..], &bytes, &tail].concat();
        for body in [bytes, damaged, no_archive, no_second, headed] {
            drop(open(&body));
        }
    }
}
