//! The records that the quickstart ships, read by the test itself.

/// One day.
pub struct Record {
    pub month: String,
    pub precipitation: f64,
    pub weather: String,
}

pub fn read() -> Vec<Record> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/quickstart/3-workloads/data/seattle-weather.csv"
    );
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            Record {
                month: fields[0][..7].replace('/', "-"),
                precipitation: fields[1].parse().unwrap(),
                weather: fields[5].to_owned(),
            }
        })
        .collect()
}

/// Count and rounded sum of precipitation by a key, as `key,count,sum`, sorted.
pub fn by(key: impl Fn(&Record) -> String) -> Vec<String> {
    let mut groups = std::collections::BTreeMap::<String, (u32, f64)>::new();
    for record in read() {
        let group = groups.entry(key(&record)).or_default();
        group.0 += 1;
        group.1 += record.precipitation;
    }
    groups.iter().map(|(key, (count, sum))| format!("{key},{count},{sum:.1}")).collect()
}
