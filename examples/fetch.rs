//! Fetches URLs: few at once from one host, more in all, none sooner than allowed, and again what fails.
//!
//! ```sh
//! printf '%s\n' http://example.com http://example.org | cargo run --example fetch -- --rate 20
//! ```
use std::num::{NonZeroU32, NonZeroUsize};
use std::{error::Error, io, io::Write, iter, process::ExitCode, time::Duration, time::Instant};

use aiopool::{AioPool, lend};
use backon::{ExponentialBuilder, Retryable};
use clap::Parser;
use futures::{StreamExt, stream};
use reqwest::{Client, Url};

/// Fetch the URLs that the lines of the standard input are, by http
#[derive(Parser)]
#[command(after_help = "Exit codes: 0 if all could be fetched, 1 if not, 2 for wrong usage")]
struct Args {
    /// How many are fetched at once
    #[arg(short, long, default_value = "32")]
    jobs: NonZeroUsize,
    /// How many of them from one host
    #[arg(short, long, default_value = "4")]
    per_host: NonZeroUsize,
    /// How many are begun in a second
    #[arg(short, long, default_value = "100")]
    rate: NonZeroU32,
    /// How many seconds one try may take, of four
    #[arg(long, default_value = "10", value_parser = |s: &str| s.parse().map(Duration::from_secs))]
    timeout: Duration,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let pool = AioPool::builder().size(args.jobs.get());
    let pool = pool.rate(args.rate.get(), Duration::from_secs(1)).build()?;
    let client = Client::builder().timeout(args.timeout).build()?;
    let urls = io::read_to_string(io::stdin())?;
    let handles = urls.lines().map(|url| {
        let host = Url::parse(url).map(|url| url.authority().to_owned());
        let of_host = pool.keyed(host.unwrap_or_default(), args.per_host.get());
        of_host.spawn_n(fetch(client.clone(), url.to_owned()))
    });
    let bar = indicatif::ProgressBar::new(urls.lines().count() as u64);
    let mut failed = false;
    let mut results = stream::iter(handles).buffer_unordered(1000);
    while let Some(result) = results.next().await {
        let fetched = result?;
        failed |= fetched.is_err();
        bar.suspend(|| match fetched {
            Ok(line) => writeln!(io::stdout(), "{line}"),
            Err(failure) => writeln!(io::stderr(), "fetch: {failure}"),
        })?;
        bar.inc(1);
    }
    Ok(u8::from(failed).into())
}

async fn fetch(client: Client, url: String) -> Result<String, String> {
    let begun = Instant::now();
    let get = || async {
        let response = client.get(&url).send().await?.error_for_status()?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?.len();
        Ok(format!("{status} {bytes} {:.1?} {url}", begun.elapsed()))
    };
    let may_pass = |error: &reqwest::Error| {
        !error.is_builder() && error.status().is_none_or(|status| status.is_server_error())
    };
    let again = ExponentialBuilder::default().with_jitter();
    let lent = |pause| lend(tokio::time::sleep(pause)); // Another one runs meanwhile.
    let got = get.retry(again).sleep(lent).when(may_pass).await;
    got.map_err(|error| {
        let causes = iter::successors(error.source(), |error| (*error).source());
        let told = format!("{url}: {error}");
        causes.fold(told, |told, cause| format!("{told}: {cause}"))
    })
}
