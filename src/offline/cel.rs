//! The rules of the CRDs (`x-kubernetes-validations`), as the API server evaluates them.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/cel/>

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use cel::{
    Context, Env, ExecutionError, FunctionContext, ParseErrors, Program, Value as Cel, extensions,
    extractors::This,
    objects::{Key, Map},
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool, ValidationRule,
};
use regex::Regex;
use serde_json::Value;

use crate::build::quantity;

/// Words that CEL keeps to itself: as fields they are written `__namespace__`.
const RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Rules that were asked for, compiled once.
pub struct Rules {
    env: Arc<Env>,
    context: Context<'static, 'static>,
    programs: Mutex<HashMap<String, Arc<Program>>>,
}

/// Why there are no rules: a bug.
#[derive(Debug, thiserror::Error)]
#[error("BUG: a function of CEL is declared twice: {0}")]
pub struct Twice(String);

impl Rules {
    /// With the functions that Kubernetes adds to the language, as far as our rules use them.
    pub fn new() -> Result<Self, Twice> {
        let twice = |error: cel::DeclarationError| Twice(error.to_string());
        let mut env = Env::stdlib();
        env.add_extension(extensions::strings).map_err(twice)?;
        let env = Arc::new(env);
        let mut context = Context::with_env(Arc::clone(&env));
        context.add_function("matches", matcher()).map_err(twice)?;
        context
            .add_function("isQuantity", |text: Arc<String>| quantity::milli(&text).is_some())
            .map_err(twice)?;
        // A quantity stays a text, and is read where it is compared.
        context.add_function("quantity", |text: Arc<String>| text).map_err(twice)?;
        context.add_function("compareTo", compare).map_err(twice)?;
        context.add_function("isCIDR", |text: Arc<String>| is_cidr(&text)).map_err(twice)?;
        Ok(Self { env, context, programs: Mutex::default() })
    }

    /// What is wrong with a value that breaks a rule; `None` if it does not. Rules about a change
    /// need the value as it `was`.
    pub fn broken(&self, rule: &ValidationRule, itself: &Cel, was: Option<&Cel>) -> Option<String> {
        match self.evaluate(&rule.rule, itself, was) {
            Ok(Cel::Bool(true)) => None,
            Ok(_) => Some(self.message(rule, itself, was)),
            Err(error) => Some(format!("the rule {:?} could not be evaluated: {error}", rule.rule)),
        }
    }

    /// The text that the rule makes, unless it has several lines: then the API server takes the
    /// fixed one too.
    fn message(&self, rule: &ValidationRule, itself: &Cel, was: Option<&Cel>) -> String {
        let made = rule.message_expression.as_ref().map(|text| self.evaluate(text, itself, was));
        match made {
            Some(Ok(Cel::String(text))) if !text.contains('\n') => text.to_string(),
            _ => rule.message.clone().unwrap_or_else(|| format!("breaks the rule {}", rule.rule)),
        }
    }

    fn evaluate(&self, source: &str, itself: &Cel, was: Option<&Cel>) -> Result<Cel, String> {
        let program = self.program(source).map_err(|error| error.to_string())?;
        let mut scope = self.context.new_inner_scope();
        scope.add_variable_from_value("self", itself.clone());
        if let Some(was) = was {
            scope.add_variable_from_value("oldSelf", was.clone());
        }
        program.execute(&scope).map_err(|error| error.to_string())
    }

    /// The compiled rule.
    pub fn program(&self, source: &str) -> Result<Arc<Program>, ParseErrors> {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = programs.get(source) {
            return Ok(Arc::clone(program));
        }
        let program = Arc::new(self.env.compile(source)?);
        programs.insert(source.to_owned(), Arc::clone(&program));
        Ok(program)
    }
}

/// Whether a rule compares the object with what it was.
pub fn is_about_change(rule: &ValidationRule) -> bool {
    rule.rule.contains("oldSelf")
}

/// `text.matches(pattern)`: patterns are compiled once.
fn matcher()
-> impl Fn(&FunctionContext<'_, '_>, This<Arc<String>>, Arc<String>) -> Result<bool, ExecutionError>
{
    let known: Mutex<HashMap<Arc<String>, Regex>> = Mutex::default();
    move |context, This(text), pattern| {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = known.get(&pattern) {
            return Ok(regex.is_match(&text));
        }
        let regex = self::regex(&pattern).map_err(|error| context.error(error))?;
        let is_match = regex.is_match(&text);
        known.insert(pattern, regex);
        Ok(is_match)
    }
}

/// A pattern as Go reads it: there, `\s` is ASCII.
/// Source: <https://github.com/google/re2/wiki/Syntax>
pub fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&pattern.replace(r"\s", r"\t\n\f\r "))
}

#[allow(clippy::needless_pass_by_value, reason = "that is how CEL hands over arguments")]
fn compare(
    context: &FunctionContext<'_, '_>,
    This(one): This<Arc<String>>,
    other: Arc<String>,
) -> Result<i64, ExecutionError> {
    let read = |text: &str| {
        quantity::milli(text).ok_or_else(|| context.error(format!("{text} is no quantity")))
    };
    Ok(read(&one)?.cmp(&read(&other)?) as i64)
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let is_plain = length == "0" || !length.starts_with(['0', '+']);
    is_plain && length.parse::<u8>().is_ok_and(|length| length <= most)
}

/// A value as rules see it: fields by the names that the schema gives them, keys of maps as they are.
pub fn value(schema: &JSONSchemaProps, value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cel::Int(number),
            None => Cel::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => {
            let none = JSONSchemaProps::default();
            let schema = match &schema.items {
                Some(JSONSchemaPropsOrArray::Schema(items)) => items,
                _ => &none,
            };
            Cel::List(Arc::new(items.iter().map(|item| self::value(schema, item)).collect()))
        }
        Value::Object(fields) => {
            let set = fields.iter().filter(|(_, value)| !value.is_null());
            let map = set.map(|(key, value)| field(schema, key, value)).collect();
            Cel::Map(Map { map: Arc::new(map) })
        }
    }
}

fn field(schema: &JSONSchemaProps, key: &str, value: &Value) -> (Key, Cel) {
    let none = JSONSchemaProps::default();
    if let Some(schema) = schema.properties.as_ref().and_then(|all| all.get(key)) {
        let name = if RESERVED.contains(&key) { format!("__{key}__") } else { key.to_owned() };
        return (Key::from(name), self::value(schema, value));
    }
    let schema = match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(values)) => values,
        _ => &none,
    };
    (Key::from(key), self::value(schema, value))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("10.0.0.0/8", true)]
    #[case("fd00::/8", true)]
    #[case("10.0.0.0/33", false)]
    #[case("10.0.0.0/08", false)]
    #[case("10.0.0.0", false)]
    #[case("x/8", false)]
    fn ranges_of_addresses(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_cidr(text), expected);
    }

    #[rstest]
    #[case("self.__namespace__ == 'a'", true)]
    #[case("has(self.name)", false)]
    #[case("quantity('1').compareTo(quantity('999m')) > 0", true)]
    #[case("'A-b'.lowerAscii().matches('^a-[b]$')", true)]
    #[case("'\\u00a0'.matches('^[^\\\\s]$')", true)]
    fn rules_are_evaluated(#[case] rule: &str, #[case] holds: bool) {
        let text = JSONSchemaProps { type_: Some("string".to_owned()), ..Default::default() };
        let properties =
            [("namespace", &text), ("name", &text)].map(|(name, it)| (name.to_owned(), it.clone()));
        let schema = JSONSchemaProps { properties: Some(properties.into()), ..Default::default() };
        let itself = value(&schema, &json!({"namespace": "a", "name": null}));
        let rule = ValidationRule {
            rule: rule.to_owned(),
            message: Some("no".to_owned()),
            ..Default::default()
        };
        let expected = (!holds).then(|| "no".to_owned());
        assert_eq!(Rules::new().unwrap().broken(&rule, &itself, None), expected);
    }
}
