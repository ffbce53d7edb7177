// Exit codes of all commands.

/** The exit code for what the user can mend: configuration, privileges, interface, address in use. */
export const EXIT_USAGE = 2;
