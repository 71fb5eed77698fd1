//! Partners to fill a register with: invented, varied as real ones are, and the same every time.

use super::register::{BILLING, DoubleAddress, DoubleContact, DoublePartner};

const FIRST: [&str; 16] = [
    "Ana", "Luka", "Zala", "Žan", "Nika", "Jakob", "Eva", "Matevž", "Špela", "Rok", "Maja", "Tilen", "Lara",
    "Anže", "Neža", "Črt",
];

const LAST: [&str; 20] = [
    "Novak",
    "Horvat",
    "Kovačič",
    "Krajnc",
    "Zupančič",
    "Potočnik",
    "Mlakar",
    "Kos",
    "Vidmar",
    "Golob",
    "Turk",
    "Božič",
    "Kralj",
    "Korošec",
    "Bizjak",
    "Hribar",
    "Kotnik",
    "Žagar",
    "Šuštar",
    "Jerman",
];

const TRADES: [&str; 8] =
    ["Vrtnarija", "Pekarna", "Mizarstvo", "Trgovina", "Servis", "Studio", "Gradnje", "Transport"];

const STREETS: [&str; 8] = [
    "Lipova pot",
    "Cvetlična ulica",
    "Sončna cesta",
    "Jamova pot",
    "Vrtna ulica",
    "Gozdna pot",
    "Mlinska cesta",
    "Kratka ulica",
];

/// A post number and a city.
type Place = (&'static str, &'static str);

/// Country, the start of its mobile numbers, and its places.
const ABROAD: [(&str, &str, [Place; 2]); 4] = [
    ("Avstrija", "+43 660 ", [("8010", "Graz"), ("9020", "Klagenfurt")]),
    ("Hrvaška", "+385 91 ", [("10000", "Zagreb"), ("51000", "Rijeka")]),
    ("Nemčija", "+49 1512 ", [("80331", "München"), ("10115", "Berlin")]),
    ("Italija", "+39 347 ", [("34121", "Trieste"), ("33100", "Udine")]),
];

const PLACES: [Place; 8] = [
    ("1000", "Ljubljana"),
    ("2000", "Maribor"),
    ("3000", "Celje"),
    ("4000", "Kranj"),
    ("5000", "Nova Gorica"),
    ("6000", "Koper"),
    ("8000", "Novo mesto"),
    ("9000", "Murska Sobota"),
];

const MOBILE: [&str; 6] = ["040", "041", "031", "051", "030", "070"];

/// The partner of a number. Emails, phones and tax numbers are its own below six million.
pub(super) fn partner(number: usize) -> DoublePartner {
    let is_company = number % 10 < 3;
    let person = person(number);
    let customer = if is_company { company(number) } else { customer(number, &person) };
    let (address, foreign) = address(number);
    DoublePartner {
        customer,
        business_entity: Some(is_company),
        taxpayer: Some(is_company),
        foreign_county: Some(foreign),
        buyer: Some(true),
        supplier: is_company.then_some(number.is_multiple_of(20)),
        tax_id_number: if is_company { format!("SI{:08}", 10_000_000 + number) } else { String::new() },
        addresses: vec![address],
        contacts: vec![contact(number, person)],
        ..DoublePartner::default()
    }
}

fn of<T: Copy>(list: &[T], number: usize) -> T {
    list[number % list.len()]
}

/// The surname moves on when the first names are through, so that neighbours differ in both.
fn person(number: usize) -> (&'static str, &'static str) {
    (of(&FIRST, number), of(&LAST, number + number / FIRST.len()))
}

fn company(number: usize) -> String {
    let form = if number % 20 == 1 { "s.p." } else { "d.o.o." };
    format!("{} {} {} {form}", of(&TRADES, number / 3), of(&LAST, number * 7), number / 160 + 1)
}

/// One field, and people put the surname first as often as last.
fn customer(number: usize, (first, last): &(&str, &str)) -> String {
    match number % 4 {
        0 => format!("{last} {first}"),
        1 => format!("{last} {first}").to_uppercase(),
        _ => format!("{first} {last}"),
    }
}

/// Every twelfth is abroad. At home the country is left out at times.
fn address(number: usize) -> (DoubleAddress, bool) {
    let foreign = number % 12 == 5;
    let (country, (post_number, city)) = if foreign {
        let (country, _, places) = of(&ABROAD, number / 12);
        (country, of(&places, number / 48))
    } else {
        (if number % 9 == 4 { "" } else { "Slovenija" }, of(&PLACES, number / 5))
    };
    let address = DoubleAddress {
        address_type: BILLING.to_owned(),
        street: format!("{} {}", of(&STREETS, number / 7), number % 180 + 1),
        post_number: post_number.to_owned(),
        city: city.to_owned(),
        country: country.to_owned(),
        ..DoubleAddress::default()
    };
    (address, foreign)
}

fn contact(number: usize, (first, last): (&str, &str)) -> DoubleContact {
    let foreign = number % 12 == 5;
    let (prefix, digits) = (of(&MOBILE, number / 1_000_000), number % 1_000_000);
    let gsm = match number % 3 {
        _ if foreign => format!("{}{number:07}", of(&ABROAD, number / 12).1),
        0 => format!("{prefix} {:03} {:03}", digits / 1_000, digits % 1_000),
        1 => format!("{prefix}{digits:06}"),
        _ => format!("+386 {} {digits:06}", &prefix[1..]),
    };
    let name = if number % 5 == 4 { String::new() } else { format!("{first} {last}") };
    let email = format!("{}.{}.{number}@example.com", plain(first), plain(last));
    DoubleContact { name, gsm, email, ..DoubleContact::default() }
}

fn plain(name: &str) -> String {
    let plain = |letter| match letter {
        'č' | 'ć' => 'c',
        'š' => 's',
        'ž' => 'z',
        letter => letter,
    };
    name.to_lowercase().chars().map(plain).collect()
}
