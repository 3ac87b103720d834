//! Connections: which accounts granted access, the tokens they granted, and who may renew them.

mod budget;
mod kept;
mod look;
mod made;
mod organization;
mod owned;
mod pending;
mod standing;
mod store;
mod subscribe;
mod subscription;
mod survey;
mod tokens;
mod vault;

pub use budget::{LEASE, REFRESH, SEEN, STORE, STORING, WAIT};
pub use kept::{Kept, Newest, newest};
pub use look::subscriptions;
pub use made::{Making, NoTags, Tags};
pub use owned::{Owned, Remembered};
pub use pending::{Pending, Taken};
pub use standing::{Standing, Trouble};
pub use store::{Connection, ConnectionStatus, ConnectionStore, Lease, LeaseFor};
pub use subscription::{WatchError, Watched, unsubscribe_all, watch};
pub use survey::{Named, Survey};
pub use tokens::{Refresh, TokenError, TokenKeeper};
pub use vault::{SecretVault, Stored, Tokens, Vault};
