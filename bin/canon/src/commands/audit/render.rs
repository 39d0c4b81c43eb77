//! An audit as text and as Markdown.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use canon_chain::{
    audit::{AuditReport, AuditedContract, Finding},
    deploy::{Create2Origin, FindingLevel},
};
use canon_protocol::{
    ForeignText,
    text::{Time, count, grouped, tokens},
};

use crate::{
    commands::deploy::meaning,
    page::{Page, line, wrapped},
};

pub(super) fn text(report: &AuditReport) -> String {
    let mut page = Page::default();
    line!(page, "Audit of the set with Registry {}", report.registry);
    line!(
        page,
        "  on chain {}, as of block {}, {}",
        report.chain_id,
        grouped(u128::from(report.block.number.get())),
        Time(report.block.timestamp)
    );
    let names = names(report);
    if !report.contracts.is_empty() {
        line!(page, "\nContracts");
    }
    for contract in &report.contracts {
        line!(page, "  {:<17}  {}", contract.contract, contract.address);
        line!(page, "    {}", proof(contract));
        if let Some(owner) = contract.owner {
            line!(page, "    owned by {}", name(&names, owner));
        }
    }
    if let Some(deployer) = report.deployer {
        line!(page, "  deployed by        {deployer}");
    }
    if let Some(parameters) = &report.parameters {
        line!(page, "\nParameters in force");
        let asset = &parameters.asset;
        line!(
            page,
            "  token              {} ({})",
            ForeignText::new(&asset.name),
            ForeignText::new(&asset.symbol)
        );
        line!(page, "  supply             {}", tokens(asset.initial_supply));
        for (what, value) in meaning(parameters) {
            line!(page, "  {what:<17}  {value}");
        }
    }
    line!(page, "\n{}", summary(report));
    for Finding { level, id, text, source } in &report.findings {
        line!(page, "  {level:<8}  {id}");
        for part in wrapped(&ForeignText::new(text).to_string(), 68) {
            line!(page, "            {part}");
        }
        if let Some(source) = source {
            line!(page, "            see {source}");
        }
    }
    page.into_text()
}

pub(super) fn markdown(report: &AuditReport) -> String {
    let mut page = Page::default();
    line!(page, "# Audit of the set with Registry `{}`", report.registry);
    line!(
        page,
        "\nOn chain {}, as of block {}, {}. {}.",
        report.chain_id,
        grouped(u128::from(report.block.number.get())),
        Time(report.block.timestamp),
        summary(report)
    );
    if !report.findings.is_empty() {
        line!(page, "\n## Findings");
        line!(page, "\n| level | finding | what it means | source |");
        line!(page, "| --- | --- | --- | --- |");
    }
    for Finding { level, id, text, source } in &report.findings {
        let (text, source) = (cell(text), cell(source.unwrap_or_default()));
        line!(page, "| {level} | {id} | {text} | {source} |");
    }
    let names = names(report);
    if !report.contracts.is_empty() {
        line!(page, "\n## Contracts");
        line!(page, "\n| contract | address | owner | proof | code hash |");
        line!(page, "| --- | --- | --- | --- | --- |");
    }
    for contract in &report.contracts {
        let AuditedContract { contract: kind, address, owner, code_hash, .. } = contract;
        let owner = owner.map(|owner| name(&names, owner)).unwrap_or_default();
        let code = code_hash.map(|hash| format!("`{hash}`")).unwrap_or_default();
        line!(page, "| {kind} | `{address}` | {owner} | {} | {code} |", cell(&proof(contract)));
    }
    if let Some(deployer) = report.deployer {
        line!(page, "\nDeployed by `{deployer}`.");
    }
    if let Some(parameters) = &report.parameters {
        line!(page, "\n## Parameters in force");
        line!(page, "\n| parameter | value |");
        line!(page, "| --- | --- |");
        let asset = &parameters.asset;
        line!(page, "| token | {} ({}) |", cell(&asset.name), cell(&asset.symbol));
        line!(page, "| supply | {} |", tokens(asset.initial_supply));
        for (what, value) in meaning(parameters) {
            line!(page, "| {what} | {value} |");
        }
    }
    page.into_text()
}

/// Escapes a text for a cell of a table.
fn cell(text: &str) -> String {
    ForeignText::new(text).to_string().replace('|', "\\|")
}

fn summary(report: &AuditReport) -> String {
    let number = |level: FindingLevel| {
        report.findings.iter().filter(|finding| finding.level == level).count() as u64
    };
    let levels = [
        (FindingLevel::Error, "error"),
        (FindingLevel::Warning, "warning"),
        (FindingLevel::Note, "note"),
    ];
    let counts = levels.map(|(level, word)| count(number(level), word).to_string());
    format!("Findings: {}", counts.join(", "))
}

fn proof(contract: &AuditedContract) -> String {
    match contract.origin {
        None => "NOT PROVEN: its code and its first storage can be anything".to_owned(),
        Some(origin) if origin == Create2Origin::default() => {
            "proven: created from the artifact by the deterministic deployment proxy".to_owned()
        }
        Some(Create2Origin { factory, salt }) => {
            format!("proven: created from the artifact by {factory} with salt {salt}")
        }
    }
}

/// The names of the contracts by their addresses.
fn names(report: &AuditReport) -> BTreeMap<Address, &'static str> {
    report.contracts.iter().map(|contract| (contract.address, contract.contract)).collect()
}

fn name(names: &BTreeMap<Address, &'static str>, address: Address) -> String {
    names.get(&address).map_or_else(|| address.to_string(), |name| (*name).to_owned())
}
