// What is told of a container that waits because something is missing: pure.

/** Codes of errors that keep a container waiting, and Kubernetes' reason for each; others count as a failed start. */
export const WAITING_REASONS: Readonly<Record<string, string>> = {
  UNKNOWN_IMAGE: "ErrImagePull",
  BAD_IMAGE_NAME: "InvalidImageName",
  IMAGE_NEVER_PULLED: "ErrImageNeverPull",
  CONFIG_MISSING: "CreateContainerConfigError",
  BAD_FIELD_REF: "CreateContainerConfigError",
  BAD_QUANTITY: "CreateContainerConfigError",
  RUNS_AS_ROOT: "CreateContainerConfigError",
  BAD_VOLUME: "CreateContainerConfigError",
};

type Told = readonly ["Normal" | "Warning", string, string];

export interface StartWait {
  readonly reason: string;
  readonly message: string;
  readonly events: readonly Told[];
}

/** The first failure to find an image is told as it is, those after it as a back-off. */
export function pullTold(image: string, waiting: string, before: string | undefined, message: string): StartWait {
  if (waiting === "ErrImageNeverPull") {
    const events: Told[] = [
      ["Warning", "ErrImageNeverPull", message],
      ["Warning", "Failed", "Error: ErrImageNeverPull"],
    ];
    return { reason: waiting, message, events };
  }
  if (waiting === "InvalidImageName") {
    const events: Told[] = [
      ["Warning", "InspectFailed", message],
      ["Warning", "Failed", `Error: ${waiting}`],
    ];
    return { reason: waiting, message, events };
  }
  if (waiting !== "ErrImagePull") {
    return { reason: waiting, message, events: [["Warning", "Failed", `Error: ${message}`]] };
  }
  if (before === "ErrImagePull" || before === "ImagePullBackOff") {
    const backOff = `Back-off pulling image "${image}"`;
    const events: Told[] = [
      ["Normal", "BackOff", backOff],
      ["Warning", "Failed", "Error: ImagePullBackOff"],
    ];
    return { reason: "ImagePullBackOff", message: `${backOff}: ErrImagePull: ${message}`, events };
  }
  const events: Told[] = [
    ["Normal", "Pulling", `Pulling image "${image}"`],
    ["Warning", "Failed", `Failed to pull image "${image}": ${message}`],
    ["Warning", "Failed", "Error: ErrImagePull"],
  ];
  return { reason: "ErrImagePull", message, events };
}
