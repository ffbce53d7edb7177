// Tables for a terminal: figures to the right, the first column to the left.

/**
 * Lines of a table, without a line end behind the last.
 * @param rows the headings first; a cell that is missing is empty
 * @param leftColumns so many columns from the left are aligned to the left, the others to the right
 */
export function textTable(rows: readonly (readonly string[])[], leftColumns = 1): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      widths
        .map((width, column) => {
          const cell = row[column] ?? '';
          return column < leftColumns ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
