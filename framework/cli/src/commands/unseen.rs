//! New cells of classes that a model has not seen: refused, mapped without regard to them, or given a component.

use super::model::{OfInput, OpenRun};
use crate::console::Console;
use crate::failure::Misuse;
use anyhow::Result;
use framework::data::{Dataset, NewData, Observations};
use framework::infer::{learn_new_classes, unseen_classes, with_classes};
use framework::spec::UnseenClasses;
use tch::{Device, Tensor};

/// What is to be done with cells of unseen classes, and where the cells are.
#[derive(Debug, Clone, Copy)]
pub struct NewCells<'a> {
    /// The data.
    pub data: &'a NewData<'a>,
    /// The command line's choice, which wins over the run's.
    pub choice: Option<UnseenClasses>,
}

impl NewCells<'_> {
    /// Rows of the cells where components of new classes were learned with them, which the run then keeps; `None` where
    /// there is no unseen class or it is not to be looked at.
    ///
    /// # Errors
    /// When there are unseen classes and they are to be refused, as an error of input.
    pub fn learn(
        &self,
        run: &mut OpenRun,
        dataset: &mut Dataset,
        console: &mut Console<'_>,
    ) -> Result<Option<Vec<Tensor>>> {
        let Some(mapping) = &run.trained.model.mapping else { return Ok(None) };
        let choice = self.choice.unwrap_or(mapping.unseen_classes);
        let observations = self.observations(run, dataset)?;
        let labels = labels(run, &observations);
        let unseen = unseen_classes(&run.trained.cohort, &labels);
        if unseen.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let named = named(run, &unseen);
        match choice {
            UnseenClasses::Error => {
                let text = format!(
                    "`{}` holds cells of classes that the model has not seen: {named}",
                    self.data.path.display()
                );
                let help = "`--unseen-classes naive` maps them without regard to their classes; `cithara embed … \
                            --unseen-classes new-component` learns a component for each, which the run keeps";
                Err(Misuse::new(text).help(help).into())
            }
            UnseenClasses::Naive => {
                console.note(&format!("unseen classes are not looked at: {named}"))?;
                Ok(None)
            }
            UnseenClasses::NewComponent => {
                console.note(&format!("learning a component for each unseen class: {named}"))?;
                let trained = with_classes(&run.experiment, &run.trained, &unseen)?;
                dataset.classes = trained.cohort.codes(&observations);
                let all: Vec<usize> = (0..dataset.cells.len()).collect();
                let rows = learn_new_classes(&trained, dataset, &all)?;
                run.directory.write_weights(&trained.model)?;
                run.directory.write_cohort(&trained.cohort)?;
                console.note(&format!("the components were added to the run `{}`", run.directory.path().display()))?;
                run.trained = trained;
                Ok(Some(rows.into_iter().map(|rows| rows.to_device(Device::Cpu)).collect()))
            }
        }
    }

    fn observations(&self, run: &OpenRun, dataset: &Dataset) -> Result<Observations> {
        let columns: Vec<String> =
            run.trained.cohort.classes.iter().flatten().map(|classes| classes.column.clone()).collect();
        Observations::find(&[self.data.file(&run.experiment)], &dataset.cells, &columns).of_input()
    }
}

/// Labels of the cells in the covariate of each latent space; `None` where there is none or its column is not in the file.
fn labels(run: &OpenRun, observations: &Observations) -> Vec<Option<Vec<Option<String>>>> {
    let classes = run.trained.cohort.classes.iter();
    classes.map(|classes| Some(observations.column(&classes.as_ref()?.column).ok()?.to_vec())).collect()
}

fn named(run: &OpenRun, unseen: &[Vec<String>]) -> String {
    let of_space = |(classes, new): (&Option<framework::data::Classes>, &Vec<String>)| {
        let column = &classes.as_ref().filter(|_| !new.is_empty())?.column;
        Some(format!("{column} `{}`", new.join("`, `")))
    };
    run.trained.cohort.classes.iter().zip(unseen).filter_map(of_space).collect::<Vec<_>>().join("; ")
}
