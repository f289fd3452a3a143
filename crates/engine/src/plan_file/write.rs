//! Writing: the header, one line for each change, and what vouches for all of them.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use super::{Line, PlanEnd, PlanHeader, PlanLine, hex};

/// A plan that is being written.
pub(crate) struct PlanWriter<W> {
    out: W,
    digest: Sha256,
    changes: u64,
}

impl<W: Write> PlanWriter<W> {
    pub(crate) fn begin(out: W, header: PlanHeader) -> io::Result<Self> {
        let mut plan = Self { out, digest: Sha256::new(), changes: 0 };
        plan.put(&Line::Plan(header))?;
        Ok(plan)
    }

    pub(crate) fn change(&mut self, line: PlanLine) -> io::Result<()> {
        self.changes += 1;
        self.put(&Line::Change(line))
    }

    /// Writes the last line. Answers how many changes the plan has.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        let sha256 = hex(&self.digest.clone().finalize());
        self.put(&Line::End(PlanEnd { changes: self.changes, sha256 }))?;
        self.out.flush()?;
        Ok(self.changes)
    }

    fn put(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.digest.update(&text);
        self.out.write_all(&text)
    }
}
