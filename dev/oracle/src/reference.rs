//! What is true, and what must therefore be stored: from the world's own state to every field that
//! this service shows. It shares no code with the service, on purpose.

mod compare;
mod exceptions;
mod looks;
mod told;
mod truth;

pub use compare::{Stored, differences, disorder, untrue};
pub use exceptions::{EXCEPTIONS, Exception, Why};
pub use looks::{Asked, hasty, senseless};
pub use told::{Logged, forgotten, mistold};
pub use truth::{Sight, Truth, World};
