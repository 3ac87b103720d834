//! What goes wrong.

use super::World;
use crate::faults::{CallFault, Faults};

impl World {
    /// Replaces the lasting faults with others, and starts their seed's decisions anew.
    pub fn set_faults(&self, faults: Faults) {
        let mut state = self.app.state();
        self.app.release_held(&mut state);
        state.faults = faults;
    }

    /// Lets single calls fail, after all that were asked to fail before.
    pub fn fail(&self, fault: CallFault) {
        self.app.state().call_faults.add(fault);
    }

    /// Forgets all faults of single calls that have not come yet.
    pub fn fail_no_more(&self) {
        self.app.state().call_faults.clear();
    }
}
