//! Connections: which accounts granted access, the tokens they granted, and who may renew them.

mod budget;
mod organization;
mod owned;
mod pending;
mod store;
mod subscribe;
mod subscription;
mod tokens;
mod vault;

pub use budget::{REFRESH, STORE};
pub use owned::Owned;
pub use pending::{Pending, Taken};
pub use store::{Connection, ConnectionStatus, ConnectionStore, Lease, LeaseFor};
pub use subscription::{WatchError, Watched, subscriptions, unsubscribe_all, watch};
pub use tokens::{Refresh, TokenError, TokenKeeper};
pub use vault::{SecretVault, Tokens, Vault};
