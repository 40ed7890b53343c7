//! Fetches URLs: few at once from one host, more in all, none sooner than allowed, and again what fails.
//!
//! ```sh
//! printf '%s\n' http://example.com http://example.org | cargo run --example fetch -- --rate 20
//! ```
use std::error::Error;
use std::io::{self, Write};
use std::iter;
use std::num::{NonZeroU32, NonZeroUsize};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aiopool::{AioPool, JoinHandle, lend};
use backon::{ExponentialBuilder, Retryable};
use clap::Parser;
use futures::{StreamExt, stream};
use indicatif::ProgressBar;
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

/// The line about a URL that was fetched, or why it could not be fetched.
type Fetched = Result<String, String>;

/// Number of URLs that are submitted before the results of earlier ones are read.
const READ_AHEAD: usize = 1000;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let pool = AioPool::builder()
        .size(args.jobs.get())
        .rate(args.rate.get(), Duration::from_secs(1))
        .build()?;
    let client = Client::builder().timeout(args.timeout).build()?;
    let urls = io::read_to_string(io::stdin())?;
    let bar = ProgressBar::new(urls.lines().count() as u64);

    // Each URL is submitted when the stream asks for it, so a long list does not fill the queue.
    let handles = urls
        .lines()
        .map(|url| submit(&pool, &client, &args, url.to_owned()));
    let mut results = stream::iter(handles).buffer_unordered(READ_AHEAD);

    let mut failed = false;
    while let Some(result) = results.next().await {
        let fetched = result?;
        failed |= fetched.is_err();
        print(&bar, fetched)?;
    }
    Ok(u8::from(failed).into())
}

/// Submits a URL to the group of its host, which limits how many are fetched from there at once.
fn submit(pool: &AioPool, client: &Client, args: &Args, url: String) -> JoinHandle<Fetched> {
    let host = Url::parse(&url).map(|url| url.authority().to_owned());
    let of_host = pool.keyed(host.unwrap_or_default(), args.per_host.get());
    of_host.spawn_n(fetch(client.clone(), url))
}

/// Fetches a URL, and tries again if the failure may pass.
async fn fetch(client: Client, url: String) -> Fetched {
    let backoff = ExponentialBuilder::default().with_jitter();
    // During a pause the task lends its permit, so that another one runs.
    let pause = |time| lend(tokio::time::sleep(time));

    let begun = Instant::now();
    let fetched = (|| fetch_once(&client, &url))
        .retry(backoff)
        .sleep(pause)
        .when(may_pass)
        .await;
    match fetched {
        Ok((status, bytes)) => Ok(format!("{status} {bytes} {:.1?} {url}", begun.elapsed())),
        Err(error) => Err(format!("{url}: {}", with_causes(&error))),
    }
}

/// Returns the status of the response, and the length of its body.
async fn fetch_once(client: &Client, url: &str) -> reqwest::Result<(u16, usize)> {
    let response = client.get(url).send().await?.error_for_status()?;
    let status = response.status().as_u16();
    let body = response.bytes().await?;
    Ok((status, body.len()))
}

/// Returns `true` unless the URL itself is wrong, or the server says that the request is.
fn may_pass(error: &reqwest::Error) -> bool {
    !error.is_builder() && error.status().is_none_or(|status| status.is_server_error())
}

fn with_causes(error: &dyn Error) -> String {
    let causes = iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Prints a result without damage to the bar.
fn print(bar: &ProgressBar, fetched: Fetched) -> io::Result<()> {
    bar.suspend(|| match fetched {
        Ok(line) => writeln!(io::stdout(), "{line}"),
        Err(failure) => writeln!(io::stderr(), "fetch: {failure}"),
    })?;
    bar.inc(1);
    Ok(())
}
