//! Plans without a cluster: everything a root depends on is given, and Ready.

use polder::{
    build::spark::SparkImages,
    engine::{Child, Ownership, digest::normalise},
    offline::{self, yaml},
    operator::Installation,
};
use serde_json::{Value, json};

/// The documents of a YAML text.
pub fn documents(text: &str) -> Vec<Value> {
    yaml::documents(text).into_iter().map(|document| document.unwrap().value).collect()
}

/// A cluster that holds these roots.
pub struct World(offline::world::World);

impl World {
    pub fn new(roots: &[Value]) -> Self {
        let image = "registry.example.com/spark:4.1.4".to_owned();
        let images = SparkImages {
            default_version: "4.1.4".to_owned(),
            images: [("4.1.4".to_owned(), image)].into(),
        };
        let installation = Installation { images, ..Installation::default() };
        let mut world = offline::world::World::new(installation).unwrap();
        for root in roots {
            world.apply(root).unwrap();
        }
        Self(world)
    }

    /// Something else that is there.
    pub fn put(&mut self, object: &Value) {
        self.0.put(object).unwrap();
    }

    /// The children of a root, in the order they are sent in.
    pub fn children(&self, root: &Value) -> Vec<Child> {
        self.0.children(root).unwrap_or_else(|refused| panic!("{root:#}: {refused:#?}"))
    }
}

/// A child as it is sent, but for the owner reference and the digest that the engine adds.
pub fn shown(child: &Child) -> Value {
    let ownership = match &child.ownership {
        Ownership::Controlled => "controlled".to_owned(),
        Ownership::Retained { consent: (key, value) } => format!("retained, {key}={value}"),
        Ownership::Generated { key, bytes, .. } => format!("generated, {bytes} bytes in {key}"),
    };
    json!({
        "rank": child.rank, "ownership": ownership, "object": normalise(child.object.clone()),
    })
}
