//! The header by which a trace goes from one service to the next.

/// Where an invocation or a message belongs: `Root=1-…;Parent=…;Sampled=1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Id of the trace.
    pub root: String,
    /// Id of the segment that subsegments belong to.
    pub parent: Option<String>,
    /// Whether anything is to be sent: a sample is, and the rest isn't.
    pub sampled: bool,
    header: String,
}

impl Trace {
    /// Reads a header. Nothing if it names no trace.
    pub fn parse(header: &str) -> Option<Self> {
        let part = |name: &str| {
            header.split(';').find_map(|part| {
                let (key, value) = part.trim().split_once('=')?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
        };
        Some(Self {
            root: part("Root").filter(|root| is_root(root))?,
            parent: part("Parent").filter(|parent| is_hex(parent, 16)),
            sampled: part("Sampled").as_deref() == Some("1"),
            header: header.to_owned(),
        })
    }

    /// The header to hand on, as it came.
    pub fn header(&self) -> &str {
        &self.header
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|c| c.is_ascii_hexdigit())
}

fn is_root(root: &str) -> bool {
    let mut parts = root.split('-');
    parts.next() == Some("1")
        && parts.next().is_some_and(|time| is_hex(time, 8))
        && parts.next().is_some_and(|rest| is_hex(rest, 24))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_in_any_order_and_handed_on_as_it_came() {
        let header = "Sampled=1; Parent=53995c3f42cd8ad8;Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a:0";
        let trace = Trace::parse(header).unwrap();
        assert_eq!(trace.root, "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(trace.parent.as_deref(), Some("53995c3f42cd8ad8"));
        assert!(trace.sampled);
        assert_eq!(trace.header(), header);
    }

    #[test]
    fn what_names_no_trace_is_none_and_what_decides_nothing_is_not_sampled() {
        for header in [
            "",
            "Root=",
            "Root=2-5759e988-bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a99427279",
            "Parent=53995c3f42cd8ad8;Sampled=1",
        ] {
            assert_eq!(Trace::parse(header), None, "{header}");
        }
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        for more in ["", ";Sampled=0", ";Sampled=?"] {
            assert!(!Trace::parse(&format!("{root}{more}")).unwrap().sampled);
        }
    }
}
