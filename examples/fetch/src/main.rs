//! Fetches URLs: few at once from one host, more in all, none sooner than allowed, and again what fails.
//!
//! ```sh
//! printf '%s\n' http://example.com http://example.org | cargo run -p fetch -- --rate 20
//! ```
use std::error::Error;
use std::io::{self, Write};
use std::iter;
use std::num::{NonZeroU32, NonZeroUsize};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aiopool::{AioPool, JoinHandle, current};
use backon::{BackoffBuilder, ExponentialBuilder};
use clap::Parser;
use futures::{StreamExt, stream};
use indicatif::style::TemplateError;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode, Url};

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
    /// How many tries are begun in a second
    #[arg(short, long, default_value = "100")]
    rate: NonZeroU32,
    /// How many seconds one try may take, of four
    #[arg(long, default_value = "10", value_parser = |s: &str| s.parse().map(Duration::from_secs))]
    timeout: Duration,
}

/// The line about a URL that was fetched, or why it could not be fetched.
type Fetched = Result<String, Failure>;

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
    let bar = progress_bar()?;
    let progress = pool.progress().total(urls.lines().count() as u64);
    tokio::spawn(progress.draw_on(bar.clone()));

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
    bar.finish_and_clear();
    Ok(u8::from(failed).into())
}

/// Submits a URL to the group of its host, which limits how many are fetched from there at once.
///
/// A try that fails and may pass is made again, after the time that the server asks for, or after a growing pause. The
/// task holds no permit meanwhile, and each try counts in the rate.
fn submit(pool: &AioPool, client: &Client, args: &Args, url: String) -> JoinHandle<Fetched> {
    let host = Url::parse(&url).map(|url| url.authority().to_owned());
    let of_host = pool.keyed(host.unwrap_or_default(), args.per_host.get());

    let (client, mut begun) = (client.clone(), None);
    let pauses = ExponentialBuilder::default().with_jitter().build();
    of_host
        .task_fn(move |_| {
            let begun = *begun.get_or_insert_with(Instant::now);
            fetch(client.clone(), url.clone(), begun)
        })
        .retry(pauses)
        .retry_when(Failure::may_pass)
        .retry_after(|failure| failure.pause)
        .spawn_n()
}

/// Fetches a URL, and returns the line to print.
async fn fetch(client: Client, url: String, begun: Instant) -> Fetched {
    let failed = |error, pause| Failure {
        url: url.clone(),
        error,
        pause,
    };
    let response = client.get(&url).send().await;
    let response = response.map_err(|error| failed(error, None))?;

    let pause = requested_pause(&response);
    if let (Some(pause), Some(task)) = (pause, current()) {
        // Nothing new goes to this host meanwhile.
        task.pool().hold(pause);
    }

    let response = response.error_for_status();
    let response = response.map_err(|error| failed(error, pause))?;
    let status = response.status().as_u16();
    let body = response.bytes().await;
    let bytes = body.map_err(|error| failed(error, pause))?.len();
    Ok(format!("{status} {bytes} {:.1?} {url}", begun.elapsed()))
}

/// Returns how long the server wants to be left alone, if it says so in seconds.
fn requested_pause(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// A try that has failed.
struct Failure {
    url: String,
    error: reqwest::Error,
    /// How long the server wants to be left alone.
    pause: Option<Duration>,
}

impl Failure {
    /// Returns `true` unless the URL itself is wrong, or the server says that the request is.
    fn may_pass(&self) -> bool {
        let may_pass = |status: StatusCode| {
            status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
        };
        !self.error.is_builder() && self.error.status().is_none_or(may_pass)
    }

    fn describe(&self) -> String {
        let causes = iter::successors(self.error.source(), |error| (*error).source());
        let text = format!("{}: {}", self.url, self.error);
        causes.fold(text, |text, cause| format!("{text}: {cause}"))
    }
}

/// Prints a result without damage to the bar.
fn print(bar: &ProgressBar, fetched: Fetched) -> io::Result<()> {
    bar.suspend(|| match fetched {
        Ok(line) => writeln!(io::stdout(), "{line}"),
        Err(failure) => writeln!(io::stderr(), "fetch: {}", failure.describe()),
    })
}

/// A bar on the standard error; if that is no terminal, it stays hidden by itself.
fn progress_bar() -> Result<ProgressBar, TemplateError> {
    let template = "{bar:20} {pos}/{len} URLs, {eta} left, {msg}";
    Ok(ProgressBar::no_length().with_style(ProgressStyle::with_template(template)?))
}
