//! Words that stand around a number and say nothing of it: `home`, `Tel`, `Durchwahl`, `доб.`.

use std::sync::LazyLock;

use hashbrown::HashMap;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// What a known word says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// What the number is for, or that it is one.
    Label,
    /// An extension follows; before a number it is a label as well.
    Extension,
    /// Another number follows.
    And,
}

/// What this word says, if it is known.
pub(super) fn word(text: &str) -> Option<Word> {
    if text.is_ascii() && text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return WORDS.get(text).copied();
    }
    let lower = text.to_lowercase();
    let composed = match is_nfc_quick(lower.chars()) {
        IsNormalized::Yes => lower,
        _ => lower.nfc().collect(),
    };
    WORDS.get(composed.as_str()).copied()
}

static WORDS: LazyLock<HashMap<&'static str, Word>> = LazyLock::new(|| {
    let kinds = [(LABELS, Word::Label), (AND, Word::And), (EXTENSIONS, Word::Extension)];
    let words =
        kinds.into_iter().flat_map(|(text, kind)| text.split_whitespace().map(move |word| (word, kind)));
    words.collect()
});

/// By language. Of single letters only those are here that nobody takes for a digit.
const LABELS: &str = "
    a at c d e f g h k m n p t w

    tel telephone phone phones ph phn home house work office business mobile mob cell cellular cellphone fax facsimile
    direct main private personal landline land line number num no contact emergency whatsapp wa viber signal
    telegram sms text call callto voice voicemail voip sip pager desk switchboard reception hotline helpline toll free
    tollfree day daytime evening night primary secondary other alt alternative alternate new old current
    assistant company car radio isdn iphone handset preferred default unknown mail

    telefon fon telefonnummer telef festnetz festnetznummer handy handynummer mobil mobiltelefon mobilnummer privat
    privatnummer private geschäftlich geschaeftlich geschäft geschaeft gesch dienstlich dienst arbeit büro buero buro
    zuhause zu hause daheim telefax zentrale rufnummer nummer nr notfall notruf firma hauptnummer haupt sekretariat
    tagsüber tagsueber abends

    telefonska tel številka stevilka št st mobilna mobilni mobitel mobi gsm doma domači domaci domov dom služba sluzba
    službeni sluzbeni službena sluzbena služben sluzben pisarna pisarni faks stacionarni stacionarna zasebno zasebni
    osebno osebni oseben delo delovni tajništvo tajnistvo glavna glavni

    kuća kuca kućni kucni kućna posao poslovni poslovna privatni privatna broj br ured kancelarija fiksni fiksna fiksno
    telefona stan kod kuće kuce

    telefono cellulare casa ufficio lavoro fisso numero privato centralino abitazione recapito segreteria

    téléphone telephone tél portable mobile domicile maison bureau travail fixe numéro perso personnel professionnel
    pro télécopie standard accueil privé prive

    teléfono tfno tlf tfn móvil movil celular cel trabajo oficina fijo número particular centralita

    telefone telemóvel telemovel tlm trabalho escritório escritorio fixo residencial residência comercial recado

    komórka komorka komórkowy komorkowy kom domowy praca służbowy sluzbowy stacjonarny biuro prywatny numer służbowa

    domů domu práce prace kancelář kancelar kancelária pevná pevna linka služební sluzebni soukromý soukromy číslo
    cislo mobilní mobilný byt súkromný

    otthon otthoni munkahely munkahelyi iroda irodai vezetékes vezetekes szám szam telefonszám lakás

    тел телефон моб мобильный мобильный мобилен мобилни мобільний сот сотовый дом домашний домашній домашен раб
    рабочий робочий служебен служебный факс офис офіс номер личный городской контактный кућа посао број фиксни т м ф

    telefoon mobiel thuis werk kantoor vast privé prive nummer telefoonnummer gsmnummer

    hem hemma jobb arbete kontor mobilnr hjem arbeid arbejde fastnet puh puhelin koti työ tyo toimisto matkapuhelin
    gsm tlf tlfnr

    cep ev iş telefonu sabit numarası no

    τηλ τηλέφωνο τηλεφωνο κινητό κινητο σπίτι εργασία σταθερό σταθερο γραφείο φαξ οικία

    acasă acasa serviciu birou fix mobilul

    電話 電話番号 电话 手机 手機 携帯 携帯電話 自宅 会社 勤務先 家 传真 傳真 座机 전화 전화번호 휴대폰 핸드폰 집 회사 팩스

    هاتف جوال موبايل تلفون محمول المنزل العمل מספר טלפון נייד בית עבודה משרד פקס
";

const EXTENSIONS: &str = "
    x ext extn extension xtn exten extns
    durchwahl dw apparat app nst nebenstelle klappe kl
    int interna interni interno internal lokal lok lokala
    poste extensión extensao extensão anexo ramal
    wew wewn wewnętrzny wewnetrzny klapka mellék mellek
    доб добавочный вн внутр внутренний внутрішній вътрешен
    toestel tst anknytning ankn alanumero alanro dahili dâhili εσωτ εσωτερικό εσωτερικο
    内線 分机 分機 내선 تحويلة שלוחה
";

const AND: &str = "
    and or und oder bzw resp beziehungsweise ali in ter oz ili et ou y o u och eller ja tai și si sau vagy és es lub oraz nebo
    alebo и или та або ve veya και ή oppure en of
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_any_case_and_composition() {
        for label in ["Tel", "HOME", "privat", "Bu\u{308}ro", "BÜRO", "ТЕЛ", "携帯", "Kuća", "doma"] {
            assert_eq!(word(label), Some(Word::Label), "{label}");
        }
        for extension in
            ["x", "X", "Ext", "Durchwahl", "int", "доб", "Доб", "Klappe", "內線".replace('內', "内").as_str()]
        {
            assert_eq!(word(extension), Some(Word::Extension), "{extension}");
        }
        assert_eq!(word("oder"), Some(Word::And));
        for other in ["ana", "xyz", "xxxx", "o'hara", "flowers", "after", "room", "l", "s", "b"] {
            assert_eq!(word(other), None, "{other}");
        }
    }

    #[test]
    fn no_word_says_two_things() {
        let of = |text: &'static str| text.split_whitespace();
        for (one, other) in [(LABELS, AND), (LABELS, EXTENSIONS), (AND, EXTENSIONS)] {
            let both: Vec<_> = of(one).filter(|word| of(other).any(|other| other == *word)).collect();
            assert!(both.is_empty(), "{both:?}");
        }
    }

    #[test]
    fn every_word_is_written_as_it_is_looked_up() {
        for listed in WORDS.keys() {
            assert!(word(listed).is_some(), "{listed}");
        }
    }
}
