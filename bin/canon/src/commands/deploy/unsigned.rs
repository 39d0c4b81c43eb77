//! The transactions of a deployment that somebody else signs.

use canon_chain::deploy::{SimulatedSteps, Step, simulate_steps};

use super::prepare::Prepared;
use crate::{
    deployer,
    exit::Failure,
    output,
    send::{UnsignedForm, UnsignedStep, print_unsigned},
};

const NOTHING_PRINTED: &str =
    "nothing was printed: remove the cause, then run the same command again";

/// What to know about transactions that aren't one batch.
const OUT_OF_ORDER: &str = "each transaction needs those with the numbers in its `after`: mined before them, it fails or has no effect, and \
     the same command prints it again";

const VERIFIES: &str =
    "once they are mined, run the same command again: it verifies the set and writes the manifest";

const HANDS_OVER: &str = "once they are mined, run the same command again: it prints the last two transactions, which hand the Registry \
     over. Before the rollup is canonical they would make a set that nobody can finish";

impl Prepared {
    /// Prints the transactions that the chain lacks, for somebody else to sign.
    pub(super) async fn print(&self, form: UnsignedForm) -> Result<(), Failure> {
        let Self { sender, on_chain, plan, .. } = self;
        let steps: Vec<_> = match form {
            // A batch is mined as a whole or not at all.
            UnsignedForm::Safe => on_chain.steps_left().collect(),
            UnsignedForm::Transaction => on_chain.steps_in_any_order().collect(),
        };
        let simulated = simulate_steps(sender, plan, on_chain, &steps).await;
        match simulated.map_err(|error| deployer::undeployed(error, NOTHING_PRINTED))? {
            SimulatedSteps::All => {}
            SimulatedSteps::First(error) => output::note(&format_args!(
                "only the first transaction was simulated, since this endpoint can't simulate several in order: {error}"
            )),
        }
        let number = |of: &Step| steps.iter().position(|step| step == of).map(|index| index + 1);
        let unsigned = |step: &Step| {
            let call = deployer::unsigned(&plan.call(*step), step.most_gas())?;
            let after = step.requires().iter().filter_map(number).collect();
            Ok(UnsignedStep { title: step.to_string(), call, after })
        };
        let unsigned = steps.iter().map(unsigned).collect::<Result<_, Failure>>()?;
        let (client, account) = (sender.client(), sender.address());
        print_unsigned(form, client, account, "canon deploy", unsigned).await?;
        match form {
            UnsignedForm::Safe => {}
            UnsignedForm::Transaction => output::note(&OUT_OF_ORDER),
        }
        match steps.len() == on_chain.steps_left().count() {
            true => output::note(&VERIFIES),
            false => output::note(&HANDS_OVER),
        }
        Ok(())
    }
}
