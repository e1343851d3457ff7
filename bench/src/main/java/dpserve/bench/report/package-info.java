/**
 * Parts of a report in one HTML file: {@link dpserve.bench.report.HtmlPage} takes text, tables and charts and asks nothing
 * of any server. Charts are SVG made here; {@link dpserve.bench.report.CsvFile} holds the same figures for programs.
 */
package dpserve.bench.report;
