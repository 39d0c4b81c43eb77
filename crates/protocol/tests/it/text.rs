//! The text of quantities: the accepted and the refused forms, the errors, and that every written form is
//! read back.

use alloy_primitives::{Address, address};
use canon_protocol::{
    Amount, ForeignText, Fraction, ProposalId, Round, Seconds, Slot, Timestamp,
    text::{
        Duration,
        ErrorKind::{self, Malformed, NotOnCalendar, OutOfRange, TooManyDecimals, WrongChecksum},
        ParseQuantityError, Percent, Shortened, Time, Tokens, address, amount, count, decimal,
        duration, fraction, grouped, number, time,
    },
};
use canon_testkit::histories::Rng;
use core::fmt::Debug;

/// The number of seeds of each property.
const SEEDS: u64 = 20_000;

/// A number up to `most`, of any size, and often next to a power of ten.
fn number_up_to(rng: &mut Rng, most: u128) -> u128 {
    let random = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
    let power = 10_u128.pow(u32::try_from(rng.below(39)).unwrap());
    let number = match rng.below(4) {
        0 => power.wrapping_sub(1),
        1 => power,
        _ => random >> rng.below(128),
    };
    number % (most + 1)
}

/// Checks for every seed that a quantity up to `most` is read back from its texts.
#[track_caller]
fn every_text_is_read_back<T: Copy + Debug + PartialEq>(
    most: u128,
    quantity: impl Fn(u128) -> T,
    write: impl Fn(T) -> String,
    read: impl Fn(&str) -> Result<T, ParseQuantityError>,
) {
    let drawn = (0..SEEDS).map(|seed| (seed, number_up_to(&mut Rng::new(seed), most)));
    for (seed, number) in drawn.chain([(SEEDS, 0), (SEEDS, most)]) {
        let quantity = quantity(number);
        let text = write(quantity);
        assert_eq!(read(&text), Ok(quantity), "seed {seed}: {text}");
    }
}

fn seconds(number: u128) -> Seconds {
    Seconds::of(u64::try_from(number).unwrap())
}

fn timestamp(number: u128) -> Timestamp {
    Timestamp::of(u64::try_from(number).unwrap())
}

fn parts(number: u128) -> Fraction {
    Fraction::of(u64::try_from(number).unwrap())
}

#[test]
fn every_written_form_is_read_back() {
    let write = |value| Duration(value).to_string();
    every_text_is_read_back(Seconds::MAX.get().into(), seconds, write, duration::parse);
    let write = |value| Tokens(value).to_string();
    every_text_is_read_back(Amount::MAX.get(), Amount::of, write, amount::parse);
    let write = |value| Percent::of(value).to_string();
    every_text_is_read_back(Fraction::MAX.get().into(), parts, write, fraction::parse);
    every_text_is_read_back(Fraction::MAX.get().into(), parts, write, fraction::parse_share);
    let write = |value| grouped(value).to_string();
    let small = |number| u64::try_from(number).unwrap();
    every_text_is_read_back(u64::MAX.into(), small, write, number::parse);
    let write = |value| Time(value).to_string();
    every_text_is_read_back(Timestamp::MAX.get().into(), timestamp, write, time::parse);
    let write = |value: Address| value.to_string();
    let address = |number: u128| Address::left_padding_from(&number.to_be_bytes());
    every_text_is_read_back(u128::MAX - 1, address, write, address::parse);
}

/// Checks that these texts have one value. Separators, blanks and the names of units make no difference.
#[track_caller]
fn reads<T: Debug + PartialEq>(
    read: impl Fn(&str) -> Result<T, ParseQuantityError>,
    cases: &[(&str, T)],
) {
    for (text, value) in cases {
        assert_eq!(read(text).as_ref(), Ok(value), "{text:?}");
    }
}

/// Checks that these texts are refused, with these errors.
#[track_caller]
fn refuses<T: Debug>(
    read: impl Fn(&str) -> Result<T, ParseQuantityError>,
    kind: ErrorKind,
    expected: &str,
    texts: &[&str],
) {
    for text in texts {
        let error = read(text).unwrap_err();
        assert_eq!((error.kind(), error.expected()), (kind, expected), "{text:?}");
        assert_eq!(error.found(), *text);
        let shown = ForeignText::new(text).up_to(100);
        assert_eq!(error.to_string(), format!("expected {expected}, found \"{shown}\""));
    }
}

/// Texts that messages repeat are visible and short, whoever wrote them.
#[test]
fn messages_repeat_a_text_as_it_can_be_shown() {
    #[derive(Debug, serde::Deserialize)]
    struct Count(#[serde(with = "decimal")] u64);

    let long = "9".repeat(1_000);
    for (text, shown) in [
        ("x", "x".to_owned()),
        ("1\u{3164}", r"1\u{3164}".to_owned()),
        ("\u{1b}[31m1\u{202e}", r"\u{1b}[31m1\u{202e}".to_owned()),
        (&long, format!("{}…", "9".repeat(100))),
    ] {
        let error = duration::parse(text).unwrap_err().to_string();
        assert!(error.ends_with(&format!(", found \"{shown}\"")), "{error}");
        let text = serde_json::to_string(text).unwrap();
        let error = serde_json::from_str::<Count>(&text).unwrap_err().to_string();
        let expected = format!("expected decimal digits, found \"{shown}\"");
        assert!(error.starts_with(&expected), "{error}");
    }
    assert_eq!(serde_json::from_str::<Count>("\"18446744073709551615\"").unwrap().0, u64::MAX);
}

#[test]
fn durations() {
    reads(
        duration::parse,
        &[
            ("24s", Seconds::of(24)),
            ("0s", Seconds::ZERO),
            ("90 s", Seconds::of(90)),
            ("90m", Seconds::of(5_400)),
            ("1 h 30 min", Seconds::of(5_400)),
            ("1h30m", Seconds::of(5_400)),
            (" 1 hour  30 minutes\n", Seconds::of(5_400)),
            ("1d 12h", Seconds::of(129_600)),
            ("1d1s", Seconds::of(86_401)),
            ("2 days 1 sec", Seconds::of(172_801)),
            ("1d  2h 3m4  s", Seconds::of(93_784)),
            ("1,000 d", Seconds::of(86_400_000)),
            ("1_000d", Seconds::of(86_400_000)),
            ("12725829d 36m 15s", Seconds::MAX),
            ("1099511627775 s", Seconds::MAX),
        ],
    );
    refuses(
        duration::parse,
        Malformed,
        r#"a duration such as "90 s", "1 h 30 min" or "3 d""#,
        &[
            "",
            " ",
            "5",
            "s",
            " s",
            "1h 1d",
            "1h1h",
            "+1s",
            "1.5h",
            "1w",
            "1S",
            "1 2s",
            "1 2 s",
            "1d 1 2h",
            "1d 2",
            "1d h",
            "1d,1s",
            "1ss",
            "1 fortnight",
            "1 h,",
            "1,00 s",
            "1h_30m",
            "--1s",
            "١s",
        ],
    );
    let last = Duration(Seconds::MAX);
    refuses(
        duration::parse,
        OutOfRange,
        &format!("a duration from 0 s to {last}"),
        &["-1 s", "1099511627776 s", "12725830d", "99999999999999999999999999999999999999999999d"],
    );
    refuses(
        |text| duration::parse_within(text, Seconds::MINUTE..=Seconds::DAY),
        OutOfRange,
        "a duration from 1 min to 1 d",
        &["59 s", "1 d 1 s"],
    );
    assert_eq!(last.to_string(), "12,725,829 d 36 min 15 s");
}

#[test]
fn shortened_durations() {
    for (seconds, in_full, rounded, to_minutes, elapsed) in [
        (0, "0 s", "0 s", "0 s", "+0:00:00"),
        (59, "59 s", "59 s", "59 s", "+0:00:59"),
        (90, "1 min 30 s", "1 min 30 s", "1 min 30 s", "+0:01:30"),
        (299, "4 min 59 s", "4 min 59 s", "4 min 59 s", "+0:04:59"),
        (329, "5 min 29 s", "5 min 29 s", "5 min", "+0:05:29"),
        (330, "5 min 30 s", "5 min 30 s", "6 min", "+0:05:30"),
        (3_599, "59 min 59 s", "59 min 59 s", "1 h", "+0:59:59"),
        (3_661, "1 h 1 min 1 s", "1 h 1 min", "1 h 1 min", "+1:01:01"),
        (86_401, "1 d 1 s", "1 d", "1 d", "+24:00:01"),
        (90_061, "1 d 1 h 1 min 1 s", "1 d 1 h", "1 d 1 h 1 min", "+25:01:01"),
        (172_799, "1 d 23 h 59 min 59 s", "1 d 23 h", "2 d", "+47:59:59"),
        (172_862, "2 d 1 min 2 s", "2 d", "2 d 1 min", "+2d 00:01:02"),
    ] {
        let duration = Duration(Seconds::of(seconds));
        assert_eq!(duration.to_string(), in_full);
        assert_eq!(duration.rounded().to_string(), rounded, "{in_full}");
        assert_eq!(duration.to_minutes().to_string(), to_minutes, "{in_full}");
        assert_eq!(duration.elapsed().to_string(), elapsed, "{in_full}");
    }
}

#[test]
fn amounts() {
    let tokens = |count: u128| Amount::of(count * Amount::TOKEN.get());
    reads(
        amount::parse,
        &[
            ("0", Amount::ZERO),
            ("0.5", Amount::of(500_000_000_000_000_000)),
            ("1000", tokens(1_000)),
            ("1,000", tokens(1_000)),
            ("1_000_000", tokens(1_000_000)),
            (" 0001.50 ", Amount::of(1_500_000_000_000_000_000)),
            ("0.000000000000000001", Amount::of(1)),
            ("79,228,162,514.264337593543950335", Amount::MAX),
        ],
    );
    refuses(
        amount::parse,
        Malformed,
        r#"tokens, such as 1000, "1,000" or "0.5""#,
        &[
            "",
            ".",
            ".5",
            "1.",
            "1,00",
            ",100",
            "1,000_000",
            "1000,000",
            "1e3",
            "+1",
            "1 000",
            "0.1,0",
        ],
    );
    refuses(
        amount::parse,
        OutOfRange,
        "an amount of tokens from 0 to 79,228,162,514.264337593543950335",
        &["-1", "79,228,162,515", "79228162514.264337593543950336", &"9".repeat(60)],
    );
    refuses(
        amount::parse,
        TooManyDecimals,
        "tokens with at most 18 decimals",
        &["0.0000000000000000001"],
    );
    refuses(
        |text| amount::parse_within(text, Amount::of(1)..=tokens(2_000)),
        OutOfRange,
        "an amount of tokens from 0.000000000000000001 to 2,000",
        &["0", "2,000.000000000000000001"],
    );
    for (amount, rounded_up) in [
        (Amount::of(1), "0.000000000000000001"),
        (tokens(1), "1"),
        (Amount::of(Amount::TOKEN.get() + 1), "2"),
        (Amount::MAX, "79,228,162,515"),
    ] {
        assert_eq!(Tokens(amount).rounded_up().to_string(), rounded_up);
    }
}

/// Where a point separates thousands, `5.000` is five thousand.
#[test]
fn an_amount_with_two_readings_is_refused() {
    for (text, readings) in [
        ("5.000", "5000 or 5"),
        (" 250.000 ", "250000 or 250"),
        ("1.230", "1230 or 1.23"),
        ("100.050", "100050 or 100.05"),
    ] {
        let trimmed = text.trim();
        let expected = format!("{readings}, since {trimmed} can be read as either");
        refuses(amount::parse, ErrorKind::Ambiguous, &expected, &[text]);
        refuses(amount::parse_range, ErrorKind::Ambiguous, &expected, &[&format!("1 to {text}")]);
    }
    let thousandths = |count: u128| Amount::of(count * Amount::TOKEN.get() / 1000);
    for (text, written, amount) in [
        ("0.250", "0.25", thousandths(250)),
        ("0.123", "0.123", thousandths(123)),
        ("1.234", "1.234", thousandths(1_234)),
        ("1.2340", "1.234", thousandths(1_234)),
        ("5.0", "5", thousandths(5_000)),
        ("1000.500", "1,000.5", thousandths(1_000_500)),
        ("1,234.567", "1,234.567", thousandths(1_234_567)),
    ] {
        assert_eq!(amount::parse(text), Ok(amount));
        assert_eq!(Tokens(amount).to_string(), written);
        assert_eq!(amount::parse(written), Ok(amount));
    }
}

#[test]
fn ranges_of_amounts() {
    let tokens = |count: u128| Amount::of(count * Amount::TOKEN.get());
    reads(
        amount::parse_range,
        &[("5 to 7", tokens(5)..=tokens(7)), ("1,000", tokens(1_000)..=tokens(1_000))],
    );
    let malformed = r#"tokens, such as 1000, or "1,000 to 5,000""#;
    refuses(amount::parse_range, Malformed, malformed, &["", "5 to", "to 7", "5 - 7", "5 to x"]);
    let reversed = "two amounts of tokens, the smaller first";
    refuses(amount::parse_range, OutOfRange, reversed, &["7 to 5"]);
    let bounds = "an amount of tokens from 0 to 79,228,162,514.264337593543950335";
    refuses(amount::parse_range, OutOfRange, bounds, &["5 to 79,228,162,515", "-1"]);
}

#[test]
fn fractions_and_shares() {
    let both: &[(&str, Fraction)] = &[
        ("4%", Fraction::percent(4)),
        (" 10 % ", Fraction::percent(10)),
        ("33.3 %", Fraction::of(333_000_000_000_000_000)),
        ("0.0000000000000001 %", Fraction::of(1)),
        ("0%", Fraction::ZERO),
        ("100.0 %", Fraction::ONE),
    ];
    reads(fraction::parse, both);
    reads(fraction::parse_share, both);
    let shares = [
        ("0.7", Fraction::percent(70)),
        ("0.000000000000000001", Fraction::of(1)),
        ("0", Fraction::ZERO),
        ("1", Fraction::ONE),
        ("1.0", Fraction::ONE),
    ];
    reads(fraction::parse_share, &shares);
    let percentage = r#"a percentage up to 100 such as "10 %""#;
    let wrong = ["", "%", "10", "0.1", "four%", "1e2%", "10 %%", "+1%", "1.%"];
    refuses(fraction::parse, Malformed, percentage, &wrong);
    let bounds = "a percentage from 0 % to 100 %";
    refuses(fraction::parse, OutOfRange, bounds, &["-4%", "100.1%", "101 %"]);
    let bounds = "a share from 0 % to 100 %";
    refuses(fraction::parse_share, OutOfRange, bounds, &["-0.1", "1.1", "70", "110%", "-10%"]);
    let share = r#"a share such as "70 %" or 0.7"#;
    refuses(fraction::parse_share, Malformed, share, &["", "x", "%", ".7", "7e-1"]);
    let decimals = "a percentage with at most 16 decimals in per cent";
    refuses(fraction::parse, TooManyDecimals, decimals, &["0.00000000000000001%"]);
    assert_eq!(Percent::of(Fraction::of(5_000_000_000_000_000)).to_string(), "0.5 %");
    let sum = Percent::sum([Fraction::percent(62), Fraction::of(505_000_000_000_000_000)]);
    assert_eq!(sum.to_string(), "112.5 %");
}

#[test]
fn shares_are_rounded_as_asked_and_never_to_nothing() {
    use canon_protocol::text::{Rounding, percent_of};
    for (part, whole, down, up) in [
        (665_001, 1_000_000, "66.50 %", "66.51 %"),
        (665_000, 1_000_000, "66.50 %", "66.50 %"),
        (1, 10_000, "0.01 %", "0.01 %"),
        (1, 10_001, "< 0.01 %", "0.01 %"),
        (0, 10_000, "0.00 %", "0.00 %"),
        (0, 0, "0.00 %", "0.00 %"),
        (Amount::MAX.get(), Amount::MAX.get(), "100.00 %", "100.00 %"),
    ] {
        let shown = |rounding| {
            let [part, whole] = [part, whole].map(|parts| Amount::new(parts).unwrap());
            percent_of(part, whole, rounding).to_string()
        };
        assert_eq!((&*shown(Rounding::Down), &*shown(Rounding::Up)), (down, up), "{part}/{whole}");
    }
}

#[test]
fn prices_of_gas_are_shown_exactly() {
    use canon_protocol::text::gwei;
    for (wei, shown) in [
        (0, "0"),
        (1, "0.000000001"),
        (31_000_000_000, "31"),
        (1_500_000_000_000_000_000, "1,500,000,000"),
        (u128::MAX, "340,282,366,920,938,463,463,374,607,431.768211455"),
    ] {
        assert_eq!(gwei(wei).to_string(), shown);
    }
}

#[test]
fn ether_has_three_digits_and_all_whole_ones() {
    use alloy_primitives::U256;
    use canon_protocol::text::{Rounding, ether};
    const ETHER: u128 = 1_000_000_000_000_000_000;
    for (wei, down, up) in [
        (0, "0", "0"),
        (1, "0.000000000000000001", "0.000000000000000001"),
        (999_999, "0.000000000000999", "0.000000000001"),
        (31_000_000_000, "0.000000031", "0.000000031"),
        (55_923_412_345_678, "0.0000559", "0.000056"),
        (ETHER - 1, "0.999", "1"),
        (ETHER * 3 / 2, "1.5", "1.5"),
        (ETHER + 1, "1", "1.01"),
        (12_345 * ETHER + 1, "12,345", "12,346"),
    ] {
        let shown = |rounding| ether(U256::from(wei), rounding).to_string();
        assert_eq!((&*shown(Rounding::Down), &*shown(Rounding::Up)), (down, up), "{wei}");
    }
    let all = ether(U256::MAX, Rounding::Up).to_string();
    assert!(all.starts_with("115,792,089,") && all.ends_with(",457.584007913129639935"), "{all}");
}

#[test]
fn numbers_in_a_sequence_have_groups_for_people_and_bare_digits_in_json() {
    let (slot, id) = (Slot::of(1_234_567), ProposalId::of(12_345));
    assert_eq!(format!("slot {slot}, proposal {id}"), "slot 1,234,567, proposal 12,345");
    assert_eq!(format!("{:>12}|{:<8}|", slot, Round::of(9_999)), "   1,234,567|9,999   |");
    assert_eq!(serde_json::to_string(&(slot, id)).unwrap(), r#"["1234567",12345]"#);
}

#[test]
fn whole_numbers() {
    reads(
        number::parse,
        &[
            ("0", 0),
            ("7", 7),
            ("60,000,000", 60_000_000),
            ("60_000_000", 60_000_000),
            ("18446744073709551615", u64::MAX),
        ],
    );
    let bounds = "a whole number from 0 to 18,446,744,073,709,551,615";
    refuses(number::parse, OutOfRange, bounds, &["-1", "18446744073709551616", &"9".repeat(99)]);
    refuses(number::parse, Malformed, bounds, &["", "7.0", "1e3", "0x10", "many", "1,0", "- 1"]);
    let few = |text: &str| number::parse_within(text, 2..=10_000);
    refuses(few, OutOfRange, "a whole number from 2 to 10,000", &["1", "10,001", "-2"]);
    for (number, text) in [(0_u64, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(grouped(number).to_string(), text);
    }
    assert_eq!(format!("{:>6}|{:<6}|", grouped(1_000_u64), grouped(7_u64)), " 1,000|7     |");
    assert_eq!(count(1, "seat").to_string(), "1 seat");
    assert_eq!(count(1_000, "seat").to_string(), "1,000 seats");
}

#[test]
fn addresses() {
    let right = address!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    let text = right.to_string();
    assert_eq!(text, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    let upper = format!("0x{}", text[2..].to_uppercase());
    let digits_only = address!("0x1111111111111111111111111111111111111111");
    reads(
        address::parse,
        &[
            (&text, right),
            (&text[2..], right),
            (&format!(" {text}\n"), right),
            (&text.to_lowercase(), right),
            (&text.to_lowercase()[2..], right),
            (&upper, right),
            (&upper[2..], right),
            ("0x1111111111111111111111111111111111111111", digits_only),
        ],
    );
    let mistyped = text.replace("BeAed", "BeAee");
    let wrong_case = text.replace("5aAe", "5AAe");
    refuses(
        address::parse,
        WrongChecksum,
        "an address with a right EIP-55 checksum (check it for a typo)",
        &[&mistyped, &wrong_case, &wrong_case[2..]],
    );
    refuses(
        address::parse,
        Malformed,
        "an address of 40 hexadecimal digits, such as 0x00000000000000000000000000000000000000aa",
        &[
            "",
            "0x",
            "latest",
            "canon.eth",
            &text[..41],
            &format!("{text}0"),
            &format!("0x{text}"),
            &text.replace("0x", "0X"),
            &text.replace("BeAed", "BeAeg"),
            &"é".repeat(20),
        ],
    );
    assert_eq!(Shortened(right).to_string(), "0x5aAe…eAed");
}

#[test]
fn times() {
    let nine = Timestamp::of(1_796_115_600);
    reads(
        time::parse,
        &[
            ("2026-12-01T09:00:00Z", nine),
            ("2026-12-01t09:00:00z", nine),
            ("2026-12-01 09:00:00 UTC", nine),
            ("2026-12-01 09:00Z", nine),
            ("2026-12-01T10:00:00+01:00", nine),
            ("2026-11-30T23:30:00-09:30", nine),
            ("2026-12-01T09:00:00.999Z", nine),
            ("1970-01-01T00:00:00Z", Timestamp::ZERO),
            ("1969-12-31T23:00:00-01:00", Timestamp::ZERO),
            ("9999-12-31T23:00:00Z", Timestamp::of(253_402_297_200)),
            ("9999-12-31T23:59:59-00:01", Timestamp::of(253_402_300_859)),
            ("+10000-01-01 00:00:00 UTC", Timestamp::of(253_402_300_800)),
            ("2024-02-29T00:00:00Z", Timestamp::of(1_709_164_800)),
        ],
    );
    refuses(
        time::parse,
        Malformed,
        "a time with its offset from UTC, such as 2026-12-01T09:00:00Z",
        &[
            "",
            "tomorrow",
            "2026-12-01",
            "2026-12-01T09:00:00",
            "2026-12-01T09Z",
            "2026-12-01T09:00:00+25:00",
            "2026-12-01T09:00:00.Z",
            "2026-12-01T09:00:00ZZ",
            "26-12-01T09:00:00Z",
            "-2026-12-01T09:00:00Z",
            "10000-01-01T00:00:00Z",
            "1796115600",
            "2026-12-01T09:00:0é",
        ],
    );
    refuses(
        time::parse,
        NotOnCalendar,
        "a day of the calendar and a time up to 23:59:59",
        &[
            "2026-02-29T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-12-01T24:00:00Z",
            "2026-12-01T09:60:00Z",
            "2016-12-31T23:59:60Z",
        ],
    );
    refuses(
        time::parse,
        OutOfRange,
        "a time from 1970-01-01 00:00:00 UTC to +36812-02-20 00:36:15 UTC",
        &["1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "+36812-02-20 00:36:16 UTC"],
    );
    let time = Time(Timestamp::of(1_796_115_612));
    assert_eq!(time.to_string(), "2026-12-01 09:00:12 UTC");
    assert_eq!(time.without_zone().to_string(), "2026-12-01 09:00:12");
    assert_eq!(time.date().to_string(), "Tue 2026-12-01");
    assert_eq!(time.clock().to_string(), "09:00:12");
    assert_eq!(time.beside(Timestamp::of(1_796_083_200)).to_string(), "09:00:12");
    assert_eq!(time.beside(Timestamp::of(1_796_083_199)).to_string(), "12-01 09:00:12");
}

/// Another implementation of the calendar agrees in its whole range.
#[test]
fn the_calendar_is_that_of_jiff() {
    let last = jiff::Timestamp::MAX.as_second();
    for seed in 0..SEEDS {
        let mut rng = Rng::new(seed);
        let second = match rng.below(2) {
            0 => rng.below(last.unsigned_abs()),
            // Seconds around midnight, including the turns of months and years and leap days.
            _ => (rng.below(2_932_890) * 86_400 + rng.below(3)).saturating_sub(1),
        };
        let time = Time(Timestamp::of(second));
        let theirs = jiff::Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
        let zoned = theirs.to_zoned(jiff::tz::TimeZone::UTC);
        let formatted = |format| zoned.strftime(format).to_string();
        assert_eq!(time.to_string(), formatted("%Y-%m-%d %H:%M:%S UTC"), "seed {seed}");
        assert_eq!(time.date().to_string(), formatted("%a %Y-%m-%d"), "seed {seed}");
        assert_eq!(time::parse(&theirs.to_string()), Ok(time.0), "seed {seed}");
        let offset = i32::try_from(rng.between(0, 2 * 23 * 60)).unwrap() - 23 * 60;
        let zone = jiff::tz::Offset::from_seconds(offset * 60).unwrap();
        let elsewhere = theirs.display_with_offset(zone).to_string();
        if elsewhere.starts_with(|c: char| c.is_ascii_digit()) {
            assert_eq!(time::parse(&elsewhere), Ok(time.0), "seed {seed}: {elsewhere}");
        }
    }
}
