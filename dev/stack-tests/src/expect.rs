//! Comparing a part of an answer.

use serde_json::Value;

/// Asserts that `actual` has every field of `wanted`, at every depth of objects, with the same
/// value; lists must be equal in length, item by item. Further fields don't matter.
#[track_caller]
pub fn assert_has(actual: &Value, wanted: &Value) {
    if let Err(difference) = compare(actual, wanted, "") {
        panic!("{difference}\nin {actual:#}");
    }
}

/// What two values differ in, at every depth; nothing where they are equal.
pub fn difference(actual: &Value, wanted: &Value) -> Option<String> {
    let missing = compare(actual, wanted, "");
    let more = || compare(wanted, actual, "").map_err(|it| format!("the other way round: {it}"));
    missing.and_then(|()| more()).err()
}

fn compare(actual: &Value, wanted: &Value, path: &str) -> Result<(), String> {
    match (actual, wanted) {
        (Value::Object(actual), Value::Object(wanted)) => {
            for (name, value) in wanted {
                let path = format!("{path}.{name}");
                let found = actual
                    .get(name)
                    .ok_or_else(|| format!("{path} is missing"))?;
                compare(found, value, &path)?;
            }
            Ok(())
        }
        (Value::Array(actual), Value::Array(wanted)) => {
            if actual.len() != wanted.len() {
                let (has, not) = (actual.len(), wanted.len());
                return Err(format!("{path} has {has} items, not {not}"));
            }
            for (at, (actual, wanted)) in actual.iter().zip(wanted).enumerate() {
                compare(actual, wanted, &format!("{path}[{at}]"))?;
            }
            Ok(())
        }
        _ if actual == wanted => Ok(()),
        _ => Err(format!("{path} is {actual}, not {wanted}")),
    }
}

/// The item of a list whose field `name` is `value`.
#[track_caller]
pub fn part<'a>(list: &'a Value, name: &str, value: &str) -> &'a Value {
    let items = list.as_array().expect("a list");
    let found = items.iter().find(|item| item[name] == value);
    found.unwrap_or_else(|| panic!("no {name} {value} in {list:#}"))
}
