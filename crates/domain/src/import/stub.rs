#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportFormat {
    Csv,
    Ndjson,
}
impl ImportFormat {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
    pub fn parse(t: &str) -> Option<Self> {
        match t {
            "csv" => Some(Self::Csv),
            "ndjson" => Some(Self::Ndjson),
            _ => None,
        }
    }
}
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Position {
    pub offset: u64,
    pub line: u64,
    pub row: u64,
}
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CsvHeader {
    pub cells: Vec<String>,
}
