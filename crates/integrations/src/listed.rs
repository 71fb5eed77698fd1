//! Settings that are lists.

use serde::{Deserialize, Deserializer, de};

/// A list, or one of it as a text: the environment has no lists. A blank text is none.
pub(crate) fn one_or_many<'de, D: Deserializer<'de>, V>(deserializer: D) -> Result<Vec<V>, D::Error>
where
    V: TryFrom<String, Error: std::fmt::Display>,
{
    /// More than anybody needs: webhooks of one workspace, with the key of each being replaced, or hosts of one company.
    const MOST: usize = 8;
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(String),
        Many(Vec<String>),
    }
    let texts = match Written::deserialize(deserializer) {
        Ok(Written::One(text)) => text.split(',').map(ToOwned::to_owned).collect(),
        Ok(Written::Many(texts)) => texts,
        // The value may be a secret.
        Err(_) => return Err(de::Error::custom("must be a text, or a list of texts in quotes")),
    };
    let texts: Vec<_> = texts.into_iter().filter(|text| !text.trim().is_empty()).collect();
    if texts.len() > MOST {
        return Err(de::Error::custom(format!("must be at most {MOST}")));
    }
    texts.into_iter().map(|text| V::try_from(text).map_err(de::Error::custom)).collect()
}
