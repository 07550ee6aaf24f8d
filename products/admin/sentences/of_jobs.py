"""What the core says about bulk edits and imports, and about the files of imports."""

from django.utils.translation import gettext_noop

SAME = (
    # Jobs
    gettext_noop("A job has 1 to {limit} rows; this one would have {count}."),
    gettext_noop("Decide about each of these fields: {fields}."),
    gettext_noop("Left out."),
    gettext_noop("Only {actor}, who planned this job, may start it."),
    gettext_noop("Row {number} of this job has no clash to decide."),
    gettext_noop("Somebody else decides about this job at the same time."),
    gettext_noop("The account {actor} is not active any more, or was deleted."),
    gettext_noop("The file of this import is not stored any more. Import it again."),
    gettext_noop("The file of this job is still being read."),
    gettext_noop("The job is already {state}."),
    gettext_noop("The job is {state}; it can be undone when it has ended."),
    gettext_noop("The token that {actor} used for this was revoked."),
    gettext_noop("There is no job {job_id}; jobs are kept for {days} days."),
    gettext_noop("{actor} has saved version {version} since."),
    gettext_noop("{actor} may not write products any more."),
    # Rows of files
    gettext_noop("A spreadsheet has shortened this number; format the column as text."),
    gettext_noop(
        "A row with a version is about an existing product; clear the version to add a new one."
    ),
    gettext_noop("As a new product: {refusal}"),
    gettext_noop("Can't be cleared."),
    gettext_noop("Did you mean {nearest}?"),
    gettext_noop("Is in {named}, but the currency of the row is {currency}."),
    gettext_noop("Is the error of a formula."),
    gettext_noop("Line {line} has this name too."),
    gettext_noop("Line {line} is about the same product."),
    gettext_noop("Must be a version such as 3, as in an export."),
    gettext_noop("Must be yes or no."),
    gettext_noop("The most similar ID is {nearest}."),
    gettext_noop("The product {product_id} has this name."),
    gettext_noop("There is no product {product_id} yet."),
    gettext_noop("There is no product {product_id}; did you mean {nearest}?"),
    gettext_noop("{product_id} has no version {number}; it is at version {version}."),
    # Files
    gettext_noop("A text with the delimiter in it must be in quotation marks."),
    gettext_noop("Amounts are read with a {mark}, as in “{example}”."),
    gettext_noop("Amounts are read with a {mark}."),
    gettext_noop("Amounts are written in two ways, as in {examples}; each is read as written."),
    gettext_noop("Amounts such as “{example}” can mean two amounts, so they are refused."),
    gettext_noop("Choose the decimal mark and import the file again."),
    gettext_noop("Each field may be one column only; {field} is several."),
    gettext_noop("Each variant becomes a product of its own ({rows})."),
    gettext_noop("Files with semicolons usually have a {mark}."),
    gettext_noop("HTML was turned into plain text in {rows}."),
    gettext_noop("If they are another system's, choose to ignore this column."),
    gettext_noop("Ignored columns: {columns}."),
    gettext_noop("Ignored {column}: {field} is {other}."),
    gettext_noop("Images are not imported ({rows} with images); upload them afterwards."),
    gettext_noop(
        "In the row that begins in line {line}, a quotation mark is not closed, "
        "or one inside the text is not doubled."
    ),
    gettext_noop("Its letters can't be read; in a spreadsheet, save it as “CSV UTF-8”."),
    gettext_noop("Left out: {rows} of {what}."),
    gettext_noop("Line {line} has a cell that is too long."),
    gettext_noop("Must have a header row and at least one product row."),
    gettext_noop("Must have at most {limit} MB."),
    gettext_noop("Must have at most {limit} columns."),
    gettext_noop("Must have at most {limit} columns; it has {count}."),
    gettext_noop("Must have at most {limit} rows; it has {count}."),
    gettext_noop("Must have at most {limit} rows; the sheet has more cells."),
    gettext_noop("No row is a product to buy."),
    gettext_noop("One column must be the product's ID or its name."),
    gettext_noop("Read as {encoding}, for example “{sample}”."),
    gettext_noop("Read from “{sheet}”, one of {count} sheets."),
    gettext_noop("Recognised as an export of {shop}."),
    gettext_noop("The column names are in line {line}; lines above it are not read."),
    gettext_noop("The columns are the ones chosen for an earlier file with the same head line."),
    gettext_noop("The columns are: {columns}."),
    gettext_noop("The row has {cells} cells, and there are {count} columns."),
    gettext_noop(
        "The rows have no version, so they are compared with today's products: an older value "
        "in the sheet replaces what others have saved since."
    ),
    gettext_noop("The workbook has a password; save it without one."),
    gettext_noop("The workbook is damaged or is none; save it again as .xlsx or CSV."),
    gettext_noop("The workbook is too large when it is unpacked; save the sheet as CSV."),
    gettext_noop("There is no field {field}."),
    gettext_noop("This is JSON, not a table; save it as CSV or .xlsx."),
    gettext_noop("This is a PDF; save the table as CSV or .xlsx."),
    gettext_noop(
        "This is a web page or XML; open it in a spreadsheet and save it as CSV or .xlsx."
    ),
    gettext_noop("This is no workbook; save the sheet as .xlsx, .ods or CSV."),
    gettext_noop("This is not a CSV file."),
    gettext_noop(
        "This workbook is in the old .xls format or has a password; "
        "save it as .xlsx without a password."
    ),
    gettext_noop("{column} holds only numbers, which would be the IDs of new products for ever."),
    gettext_noop("{count} hidden row is read too."),
    gettext_noop("{count} hidden rows are read too."),
    gettext_noop("{count} row has no version and is compared with today's product."),
    gettext_noop("{count} rows have no version and are compared with today's products."),
)
OTHER = {
    "The cell {place} has a formula without a value; "
    "open the workbook in a spreadsheet and save it.": gettext_noop(
        "The cell {place} has a formula without a value. "
        "Open the workbook in a spreadsheet and save it."
    ),
    "{actor} no longer has {permissions}.": gettext_noop(
        "{actor} no longer has the right “{permissions}”."
    ),
}
