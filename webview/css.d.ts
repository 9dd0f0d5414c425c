/** Says that a stylesheet may be imported for the bundler to collect. */
declare module '*.css';
