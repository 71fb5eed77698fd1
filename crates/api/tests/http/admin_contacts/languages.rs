//! In which language faults are told, and what is never translated.

use super::*;
use crate::on_both_databases;

on_both_databases!(
    the_language_is_the_one_asked_for,
    every_language_tells_of_every_field,
    only_faults_of_fields_are_translated,
);

async fn posted_in(app: &TestApp, languages: &[&str], body: &Value) -> Answer {
    let mut request = app.request(Method::POST, PATH).header("Content-Type", "application/json");
    for language in languages {
        request = request.header("Accept-Language", *language);
    }
    send(request.body(body.to_string())).await
}

async fn the_language_is_the_one_asked_for(app: TestApp) {
    let user = app.user().await;
    let sentence = |language| match language {
        "en" => "The type field is required.",
        "pt-BR" => "É obrigatória a indicação de um valor para o campo tipo.",
        "es" => "El campo tipo es obligatorio.",
        "de" => "Typ muss ausgefüllt werden.",
        _ => "Polje vrsta je obvezno.",
    };
    let body = of(&user, json!({"country_code": "1", "number": "1"}));
    let rows: [(&[&str], &str); 26] = [
        (&[], "en"),
        (&[""], "en"),
        (&["en"], "en"),
        (&["pt-BR"], "pt-BR"),
        (&["pt"], "pt-BR"),
        (&["pt-PT"], "pt-BR"),
        (&["pt_br"], "pt-BR"),
        (&["es"], "es"),
        (&["es-MX"], "es"),
        (&["de"], "de"),
        (&["de-AT"], "de"),
        (&["DE-at"], "de"),
        (&["sl"], "sl"),
        (&["sl-SI"], "sl"),
        (&["fr"], "en"),
        (&["fr, ja;q=0.9"], "en"),
        (&["*"], "en"),
        (&["de;q=2", "x y"], "en"),
        (&["de-AT, en;q=0.5"], "de"),
        (&["en;q=0.1, sl;q=0.9"], "sl"),
        (&["sl ; q=0.1 , es;q=0.101"], "es"),
        (&["fr, de;q=0.2"], "de"),
        (&["de;q=0, es;q=0.1"], "es"),
        (&["de;q=0"], "en"),
        // A list may be spread over several lines.
        (&["fr", "de;q=0.2, sl;q=0.3"], "sl"),
        (&["en;q=0.5", "de"], "de"),
    ];
    for (languages, expected) in rows {
        let answer = posted_in(&app, languages, &body).await;
        check_invalid(&answer, expected, &[("type", sentence(expected))]);
    }
}

#[rustfmt::skip]
async fn every_language_tells_of_every_field(app: TestApp) {
    for (language, errors) in [
        ("pt", [
            ("uuid", "Uuid deve ser um UUID válido."),
            ("type", "O campo tipo não contém um valor válido."),
            ("email", "O campo e-mail deve conter texto."),
            ("email", "O campo e-mail não contém um endereço de e-mail válido."),
            ("country_code", "É obrigatória a indicação de um valor para o campo country code a menos que tipo esteja presente em email."),
            ("number", "O campo número não deve conter mais de 20 caracteres."),
            ("number", "O formato do valor para o campo número é inválido."),
        ]),
        ("es", [
            ("uuid", "El campo uuid debe ser un UUID válido."),
            ("type", "El campo tipo no está en la lista de valores permitidos."),
            ("email", "El campo correo electrónico debe ser una cadena de caracteres."),
            ("email", "El campo correo electrónico no es un correo válido."),
            ("country_code", "El campo country code es obligatorio a menos que tipo esté en email."),
            ("number", "El campo número no debe ser mayor que 20 caracteres."),
            ("number", "El formato del campo número no es válido."),
        ]),
        ("de", [
            ("uuid", "Uuid muss ein UUID sein."),
            ("type", "Der gewählte Wert für Typ ist ungültig."),
            ("email", "E-Mail-Adresse muss ein String sein."),
            ("email", "E-Mail-Adresse muss eine gültige E-Mail-Adresse sein."),
            ("country_code", "Country code muss ausgefüllt werden, wenn Typ nicht den Wert email hat."),
            ("number", "Nummer darf maximal 20 Zeichen haben."),
            ("number", "Nummer Format ist ungültig."),
        ]),
        ("sl", [
            ("uuid", "Uuid mora biti veljaven UUID."),
            ("type", "Izbran vrsta je neveljaven."),
            ("email", "E-naslov mora biti tekst."),
            ("email", "E-naslov mora biti veljaven e-poštni naslov."),
            ("country_code", "Polje country code je obvezno, razen če je vrsta v email."),
            ("number", "Število ne sme biti večje 20 znakov."),
            ("number", "Format polja število je neveljaven."),
        ]),
    ] {
        let body = json!({"uuid": "5", "type": "fax", "email": 5, "country_code": "", "number": "x".repeat(21)});
        let tag = if language == "pt" { "pt-BR" } else { language };
        check_invalid(&posted_in(&app, &[language], &body).await, tag, &errors);
    }
    let user = app.user().await;
    let id = add(&app, &user, email("ana@example.com")).await;
    for (language, uuid, address) in [
        ("pt-BR", "O campo uuid é proibido.", "É obrigatória a indicação de um valor para o campo e-mail quando o valor de tipo é igual a email."),
        ("es", "El campo uuid está prohibido.", "El campo correo electrónico es obligatorio cuando tipo es email."),
        ("de", "Uuid ist unzulässig.", "E-Mail-Adresse muss ausgefüllt werden, wenn Typ den Wert email hat."),
        ("sl", "Polje uuid je prepovedano.", "Polje E-naslov je obvezno, če je vrsta enak email."),
    ] {
        let request = app.request(Method::PUT, &format!("{PATH}/{id}")).header("Accept-Language", language);
        let request = request.header("Content-Type", "application/json");
        let body = json!({"uuid": user, "type": "email", "email": ""}).to_string();
        check_invalid(&send(request.body(body)).await, language, &[("uuid", uuid), ("email", address)]);
    }
    let number = add(&app, &user, phone("whatsapp", "+55", "11912345678")).await;
    for (language, with_number, with_email) in [
        ("en", "The type field is required when country code / number is present.", "The type field is required when email is present."),
        ("pt-BR", "É obrigatória a indicação de um valor para o campo tipo quando country code / número está presente.",
            "É obrigatória a indicação de um valor para o campo tipo quando e-mail está presente."),
        ("es", "El campo tipo es obligatorio cuando country code / número está presente.",
            "El campo tipo es obligatorio cuando correo electrónico está presente."),
        ("de", "Typ muss ausgefüllt werden, wenn country code / Nummer ausgefüllt wurde.",
            "Typ muss ausgefüllt werden, wenn E-Mail-Adresse ausgefüllt wurde."),
        ("sl", "Polje vrsta je obvezno, če je country code / število prisoten.", "Polje vrsta je obvezno, če je E-naslov prisoten."),
    ] {
        for (id, body, sentence) in [
            (id, json!({"country_code": "+55", "number": "11912345678"}), with_number),
            (number, json!({"email": "ana@example.com"}), with_email),
        ] {
            let request = app.request(Method::PUT, &format!("{PATH}/{id}")).header("Accept-Language", language);
            let request = request.header("Content-Type", "application/json").body(body.to_string());
            check_invalid(&send(request).await, language, &[("type", sentence)]);
        }
    }
}

async fn only_faults_of_fields_are_translated(app: TestApp) {
    let user = app.user().await;
    let id = add(&app, &user, email("ana@example.com")).await;
    let (able, unable) = (app.token_for(&["*"], None).await, app.token_for(&["identify"], None).await);
    let unknown = of(NOBODY, email("ana@example.com")).to_string();
    let (contact, large) = (format!("{PATH}/{id}"), "x".repeat(70_000));
    for (token, method, path, body, status, message) in [
        ("", Method::POST, PATH, "{}", 401, "Unauthenticated."),
        (&unable, Method::POST, PATH, "{}", 403, "This action is unauthorized."),
        (&unable, Method::PUT, &contact, "{}", 403, "This action is unauthorized."),
        (&able, Method::PUT, "/ia/admin/contacts/99", "{}", 404, "Not Found"),
        (&able, Method::PUT, "/ia/x", "{}", 404, "Not Found"),
        (&able, Method::POST, PATH, &unknown, 404, "User not found."),
        (&able, Method::PUT, &contact, "{", 400, "The request body is not a JSON object."),
        (&able, Method::POST, PATH, &large, 413, "The POST data is too large."),
    ] {
        let request = app.bare_request(method, path).header("Accept-Language", "de");
        let request = request.header("Content-Type", "application/json");
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        check_refused(&send(request.body(body.to_owned())).await, status, message);
    }
}
