# Rscript bench/systems/forecasting/judge.R histories.csv predictions.csv   (Debian: r-cran-forecast)
#
# histories.csv: id and the values of an origin's history, split by ";". predictions.csv: what a gate wrote for the
# head. Recomputes its figures with R and the forecast package, and forecasts the same origins with that package.
# Writes name<TAB>value lines.
suppressMessages(library(forecast))
files <- commandArgs(TRUE)
histories <- read.csv(files[1], colClasses = "character")
predictions <- read.csv(files[2], check.names = FALSE)
say <- function(name, x) cat(sprintf("%s\t%s\n", name, paste(sprintf("%.17g", as.numeric(x)), collapse = "\t")))
cat(sprintf("versions\tR %s, forecast %s\n", getRversion(), packageVersion("forecast")))
steps <- 18
series <- lapply(strsplit(histories$values, ";"), function(one) ts(as.numeric(one), frequency = 12))
names(series) <- histories$id
predictions$origin <- sub(":[0-9]+$", "", predictions$id)
predictions <- predictions[order(match(predictions$origin, histories$id), predictions$step), ]
actual <- matrix(predictions$label, nrow = steps)
own <- matrix(predictions$score, nrow = steps)

# The benchmark of the M4 competition (github.com/Mcompetitions/M4-methods, "Benchmarks and Evaluation.R").
seasonal <- function(y) {
  if (length(y) < 36) return(FALSE)
  found <- acf(y, plot = FALSE)$acf[-1, 1, 1]
  limit <- 1.645 / sqrt(length(y)) * sqrt(cumsum(c(1, 2 * found^2)))
  abs(found[12]) > limit[12]
}
naive2 <- function(y) {
  if (!seasonal(y)) return(naive(y, h = steps)$mean)
  parts <- decompose(y, type = "multiplicative")
  ahead <- head(rep(tail(parts$seasonal, 12), 2), steps)
  naive(y / parts$seasonal, h = steps)$mean * ahead
}
all_origins <- seq_along(series)
smape <- function(forecasts, at = all_origins) mean(2 * abs(actual[, at] - forecasts) / (abs(actual[, at]) + abs(forecasts)))
mase <- function(forecasts, at = all_origins) mean(vapply(seq_along(at), function(k) {
  i <- at[k]
  told <- structure(list(mean = ts(forecasts[, k], start = tsp(series[[i]])[2] + 1 / 12, frequency = 12), x = series[[i]],
    fitted = series[[i]], residuals = series[[i]] * 0), class = "forecast")
  # accuracy() takes the season of the scale from the values under test.
  accuracy(told, ts(actual[, i], start = tsp(told$mean)[1], frequency = 12))[2, "MASE"]
}, 0))
told <- vapply(series, function(y) as.numeric(naive2(y)), numeric(steps))
say("naive2 difference", max(abs(told - matrix(predictions$naive2, nrow = steps)) / told))
figures <- function(name, forecasts, seconds, at = all_origins) {
  one <- c(smape(forecasts, at), mase(forecasts, at))
  say(name, c(one, mean(one / c(smape(told[, at], at), mase(told[, at], at))), seconds / length(at)))
}
figures("own", own, NA)
say("coverage", c(mean(predictions$label >= predictions$q025 & predictions$label <= predictions$q975),
  mean(predictions$label >= predictions$q005 & predictions$label <= predictions$q995)))
names_of <- c(q005 = 0.005, q025 = 0.025, q10 = 0.1, q50 = 0.5, q90 = 0.9, q975 = 0.975, q995 = 0.995)
losses <- vapply(names(names_of), function(column) {
  e <- predictions$label - predictions[[column]]
  pmax(names_of[[column]] * e, (names_of[[column]] - 1) * e)
}, numeric(nrow(predictions)))
say("scaled quantile loss", mean(rowMeans(losses) / predictions$naive_scale))
say("naive scale difference", max(abs(predictions$naive_scale[predictions$step == 1] /
  vapply(series, function(y) mean(abs(diff(y, lag = 12))), 0) - 1)))

method <- function(name, forecast, at = all_origins) {
  seconds <- system.time(forecasts <- vapply(series[at], function(y) as.numeric(forecast(y)), numeric(steps)))[["elapsed"]]
  figures(name, forecasts, seconds, at)
}
method("snaive", function(y) snaive(y, h = steps)$mean)
method("thetaf", function(y) thetaf(y, h = steps)$mean)
# These take long: every twelfth origin, and ours on the same.
some <- seq(1, length(series), by = 12)
say("some", length(some))
figures("own on some", own[, some], NA, some)
method("stlf", function(y) stlf(y, h = steps)$mean, some)
method("ets", function(y) forecast(ets(y), h = steps)$mean, some)
