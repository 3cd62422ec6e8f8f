export declare function debianIfMissing(purpose: "test" | "test:slow" | "bench:reading"): void;
