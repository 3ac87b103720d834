//! The HTTP contract in one place: every route with who may call it, its parameters, answers and
//! errors. The functions find their routes and check their parameters here, and the OpenAPI document
//! is made of the same table and of the types of the answers, so that none can say what another
//! doesn't do.

pub mod answers;
mod errors;
mod examples;
pub mod openapi;
mod params;
pub mod requests;
mod route;
mod routes;

pub use params::{Kind, Parameter, Params, Place, cursor, is_id};
pub use requests::{object, required_object};
pub use route::{
    Access, Content, Error, Found, Good, Input, Operation, Route, find, not_found, other_method,
    written_otherwise,
};
pub use routes::ROUTES;
