//! The encoding of calls, events and refusals on chain.
//!
//! The macros `abi_enum` and `abi_events` declare an enum and implement the encoding of the Solidity
//! declarations of the same names, so each of these lists exists only once in Rust. A test compares them
//! with the interfaces in `contracts/src/interfaces`, in both directions.

use alloy_primitives::{Address, B256, Bytes, Selector, U256, keccak256};
use alloy_sol_types::{SolType, sol_data};

/// A Rust type that a Solidity type encodes.
pub(crate) trait Abi: Sized {
    /// The Solidity type.
    type Sol: SolType;

    /// The value in alloy's type for the Solidity type.
    fn to_sol(&self) -> <Self::Sol as SolType>::RustType;

    /// The value, or `None` if it doesn't fit the Rust type.
    fn from_sol(value: <Self::Sol as SolType>::RustType) -> Option<Self>;
}

/// `keccak256` of a declaration such as `vote(address)`: the topic of an event, and in its first
/// four bytes the selector of a function or an error.
pub(crate) fn declaration_hash<Args: SolType>(name: &str) -> B256 {
    keccak256(format!("{name}{}", Args::SOL_NAME))
}

/// The first four bytes of `hash`.
pub(crate) fn selector(hash: B256) -> Selector {
    Selector::from_slice(&hash[..4])
}

/// Declares an enum of functions or errors: `Variant { field: Type } = "solidityName"`.
macro_rules! abi_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {$(
            $(#[$doc:meta])*
            $variant:ident $({ $($field:ident: $ty:ty),* $(,)? })? = $sol:literal
        ),* $(,)?}
    ) => {
        $(#[$meta])*
        #[allow(missing_docs, reason = "fields are explained with their variant")]
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {$(
            $(#[$doc])*
            $variant $({ $($field: $ty),* })?
        ),*}

        impl $name {
            /// The names of all variants in Solidity.
            pub const NAMES: &'static [&'static str] = &[$($sol),*];

            /// The name in Solidity.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $sol),*
                }
            }

            /// Selector and encoded arguments.
            pub fn abi_encode(&self) -> alloy_primitives::Bytes {
                match self {$(
                    Self::$variant $({ $($field),* })? => {
                        type Args = ($($(<$ty as $crate::abi::Abi>::Sol,)*)?);
                        let hash = $crate::abi::declaration_hash::<Args>($sol);
                        let mut data = $crate::abi::selector(hash).to_vec();
                        let args = ($($($crate::abi::Abi::to_sol($field),)*)?);
                        data.extend(<Args as alloy_sol_types::SolType>::abi_encode_params(&args));
                        data.into()
                    }
                )*}
            }

            /// Decodes `data`, or returns `None` if it encodes none of the variants.
            pub fn abi_decode(data: &[u8]) -> Option<Self> {
                let (selector, data) = data.split_at_checked(4)?;
                let mut hashes = Self::hashes().iter();
                $(
                    if hashes.next().is_some_and(|hash| hash[..4] == *selector) {
                        type Args = ($($(<$ty as $crate::abi::Abi>::Sol,)*)?);
                        #[allow(clippy::let_unit_value, reason = "there may be no arguments")]
                        let ($($($field,)*)?) =
                            <Args as alloy_sol_types::SolType>::abi_decode_params_validate(data)
                                .ok()?;
                        return Some(Self::$variant $({
                            $($field: $crate::abi::Abi::from_sol($field)?),*
                        })?);
                    }
                )*
                None
            }

            fn hashes() -> &'static [alloy_primitives::B256] {
                static HASHES: std::sync::LazyLock<Vec<alloy_primitives::B256>> =
                    std::sync::LazyLock::new(|| vec![$(
                        $crate::abi::declaration_hash::<
                            ($($(<$ty as $crate::abi::Abi>::Sol,)*)?)
                        >($sol),
                    )*]);
                &HASHES
            }

            /// The declarations, with the types of their arguments.
            #[cfg(test)]
            pub(crate) fn declarations() -> Vec<String> {
                use alloy_sol_types::SolType;
                vec![$(format!(
                    "{}{}",
                    $sol,
                    <($($(<$ty as $crate::abi::Abi>::Sol,)*)?)>::SOL_NAME
                ),)*]
            }
        }
    };
}
pub(crate) use abi_enum;

/// Declares an enum of events: `Variant [indexed: Type] { other: Type } = "SolidityName"`. Arguments before
/// the indexed ones are written in front: `Variant { first: Type } [indexed: Type] {…}`.
macro_rules! abi_events {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {$(
            $(#[$doc:meta])*
            $variant:ident
                $({ $($first:ident: $first_ty:ty),* $(,)? })?
                [ $($topic:ident: $topic_ty:ty),* $(,)? ]
                { $($field:ident: $ty:ty),* $(,)? } = $sol:literal
        ),* $(,)?}
    ) => {
        $(#[$meta])*
        #[allow(missing_docs, reason = "fields are explained with their variant")]
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {$(
            $(#[$doc])*
            $variant { $($($first: $first_ty,)*)? $($topic: $topic_ty,)* $($field: $ty,)* }
        ),*}

        impl $name {
            /// The names of all variants in Solidity.
            pub const NAMES: &'static [&'static str] = &[$($sol),*];

            /// The name in Solidity.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $sol),*
                }
            }

            /// Topics and data of the log.
            pub fn to_log_data(&self) -> alloy_primitives::LogData {
                use alloy_sol_types::SolType;
                match self {$(
                    Self::$variant { $($($first,)*)? $($topic,)* $($field,)* } => {
                        let hash = $crate::abi::declaration_hash::<(
                            $($(<$first_ty as $crate::abi::Abi>::Sol,)*)?
                            $(<$topic_ty as $crate::abi::Abi>::Sol,)*
                            $(<$ty as $crate::abi::Abi>::Sol,)*
                        )>($sol);
                        let topics = vec![hash, $($crate::abi::to_topic($topic),)*];
                        let args = (
                            $($($crate::abi::Abi::to_sol($first),)*)?
                            $($crate::abi::Abi::to_sol($field),)*
                        );
                        let data = <(
                            $($(<$first_ty as $crate::abi::Abi>::Sol,)*)?
                            $(<$ty as $crate::abi::Abi>::Sol,)*
                        )>::abi_encode_params(&args);
                        alloy_primitives::LogData::new_unchecked(topics, data.into())
                    }
                )*}
            }

            /// Decodes a log, or returns `None` if it is none of these events.
            pub fn from_log_data(log: &alloy_primitives::LogData) -> Option<Self> {
                use alloy_sol_types::SolType;
                let (first, rest) = log.topics().split_first()?;
                let mut hashes = Self::hashes().iter();
                $(
                    if hashes.next() == Some(first) {
                        let mut topics = rest.iter();
                        $(let $topic = $crate::abi::from_topic(topics.next()?)?;)*
                        if topics.next().is_some() {
                            return None;
                        }
                        #[allow(clippy::let_unit_value, reason = "there may be no data")]
                        let ($($($first,)*)? $($field,)*) = <(
                            $($(<$first_ty as $crate::abi::Abi>::Sol,)*)?
                            $(<$ty as $crate::abi::Abi>::Sol,)*
                        )>::abi_decode_params_validate(&log.data)
                        .ok()?;
                        return Some(Self::$variant {
                            $($($first: $crate::abi::Abi::from_sol($first)?,)*)?
                            $($topic,)*
                            $($field: $crate::abi::Abi::from_sol($field)?,)*
                        });
                    }
                )*
                None
            }

            fn hashes() -> &'static [alloy_primitives::B256] {
                static HASHES: std::sync::LazyLock<Vec<alloy_primitives::B256>> =
                    std::sync::LazyLock::new(|| vec![$(
                        $crate::abi::declaration_hash::<(
                            $($(<$first_ty as $crate::abi::Abi>::Sol,)*)?
                            $(<$topic_ty as $crate::abi::Abi>::Sol,)*
                            $(<$ty as $crate::abi::Abi>::Sol,)*
                        )>($sol),
                    )*]);
                &HASHES
            }

            /// The declarations, with the types of their arguments and `indexed` where it belongs.
            #[cfg(test)]
            pub(crate) fn declarations() -> Vec<String> {
                use alloy_sol_types::SolType;
                vec![$({
                    let args: Vec<String> = vec![
                        $($(<$first_ty as $crate::abi::Abi>::Sol::SOL_NAME.to_owned(),)*)?
                        $(format!(
                            "{} indexed",
                            <$topic_ty as $crate::abi::Abi>::Sol::SOL_NAME
                        ),)*
                        $(<$ty as $crate::abi::Abi>::Sol::SOL_NAME.to_owned(),)*
                    ];
                    format!("{}({})", $sol, args.join(","))
                },)*]
            }
        }
    };
}
pub(crate) use abi_events;

/// The topic that encodes an indexed argument. Every indexed type of the set takes one word.
pub(crate) fn to_topic<T: Abi>(value: &T) -> B256 {
    B256::from_slice(&T::Sol::abi_encode(&value.to_sol()))
}

/// Decodes an indexed argument.
pub(crate) fn from_topic<T: Abi>(topic: &B256) -> Option<T> {
    T::from_sol(T::Sol::abi_decode_validate(topic.as_slice()).ok()?)
}

/// Implements [`Abi`] for types that alloy uses for the Solidity type itself.
macro_rules! same_type {
    ($($ty:ty as $sol:ty),* $(,)?) => {$(
        impl Abi for $ty {
            type Sol = $sol;

            fn to_sol(&self) -> Self {
                self.clone()
            }

            fn from_sol(value: Self) -> Option<Self> {
                Some(value)
            }
        }
    )*};
}

same_type! {
    Address as sol_data::Address,
    B256 as sol_data::FixedBytes<32>,
    Selector as sol_data::FixedBytes<4>,
    Bytes as sol_data::Bytes,
    String as sol_data::String,
    U256 as sol_data::Uint<256>,
    u8 as sol_data::Uint<8>,
}

/// Quantities are `uint256` wherever they pass between contracts.
macro_rules! quantities {
    ($($name:ident),* $(,)?) => {$(
        impl Abi for crate::units::$name {
            type Sol = sol_data::Uint<256>;

            fn to_sol(&self) -> U256 {
                self.to_word()
            }

            fn from_sol(value: U256) -> Option<Self> {
                value.try_into().ok()
            }
        }
    )*};
}

quantities!(Timestamp, Seconds, Amount, Fraction, Slot, Epoch, Round, BlockNumber, RollupBlock);
quantities!(Version, ProposalId, WithdrawalId, ConfigurationId, Nonce);

/// A `uint256` that counts signals or slots of a round.
impl Abi for u32 {
    type Sol = sol_data::Uint<256>;

    fn to_sol(&self) -> U256 {
        U256::from(*self)
    }

    fn from_sol(value: U256) -> Option<Self> {
        value.try_into().ok()
    }
}

/// Implements [`Abi`] for a struct, which Solidity encodes as a tuple.
macro_rules! abi_struct {
    ($ty:ident { $($field:ident: $field_ty:ty),* $(,)? }) => {
        impl $crate::abi::Abi for $ty {
            type Sol = ($(<$field_ty as $crate::abi::Abi>::Sol,)*);

            fn to_sol(&self) -> <Self::Sol as alloy_sol_types::SolType>::RustType {
                ($($crate::abi::Abi::to_sol(&self.$field),)*)
            }

            fn from_sol(
                ($($field,)*): <Self::Sol as alloy_sol_types::SolType>::RustType,
            ) -> Option<Self> {
                Some(Self { $($field: $crate::abi::Abi::from_sol($field)?,)* })
            }
        }
    };
}
pub(crate) use abi_struct;

impl<T: Abi> Abi for Vec<T> {
    type Sol = sol_data::Array<T::Sol>;

    fn to_sol(&self) -> <Self::Sol as SolType>::RustType {
        self.iter().map(Abi::to_sol).collect()
    }

    fn from_sol(values: <Self::Sol as SolType>::RustType) -> Option<Self> {
        values.into_iter().map(T::from_sol).collect()
    }
}

impl<T: Abi> Abi for Box<T> {
    type Sol = T::Sol;

    fn to_sol(&self) -> <Self::Sol as SolType>::RustType {
        T::to_sol(self)
    }

    fn from_sol(value: <Self::Sol as SolType>::RustType) -> Option<Self> {
        T::from_sol(value).map(Self::new)
    }
}
